import { anchorOf } from "./entry.ts";
import { idOfSession, type SessionInfo, type SessionStore } from "./store.ts";
import { Transcript } from "./transcript.ts";

export interface StoreLimits {
  /** Most sessions kept; the one unused for longest goes first. */
  maxEntries: number;
  /** A session unused for this many milliseconds is forgotten. */
  pruneAfterMs: number;
  now?: (() => number) | undefined;
}

interface Session {
  owner: string;
  key: string;
  transcript: Transcript;
}

/** Sessions that last as long as the process. */
export function createMemoryStore({ maxEntries, pruneAfterMs, now = Date.now }: StoreLimits): SessionStore {
  // A Map keeps the order of insertion: a session that is used moves to the end, so the first is the oldest.
  const sessions = new Map<string, Session>();

  function find(id: string): Session | undefined {
    const session = sessions.get(id);
    return session && session.transcript.meta.updatedAt > now() - pruneAfterMs ? session : undefined;
  }

  function prune(): void {
    for (const [oldest, { transcript }] of sessions) {
      if (sessions.size <= maxEntries && transcript.meta.updatedAt > now() - pruneAfterMs) break;
      sessions.delete(oldest);
    }
  }

  return {
    async open() {},
    async read(ref) {
      return find(idOfSession(ref))?.transcript;
    },
    async append(ref, { agent, ...addition }) {
      const id = idOfSession(ref);
      const at = now();
      const transcript = find(id)?.transcript ?? new Transcript({ agent, title: null, createdAt: at, updatedAt: at });
      const follows = anchorOf(addition);
      if (follows !== null && !transcript.get(follows)) return false;
      transcript.add(addition);
      transcript.meta = { ...transcript.meta, updatedAt: at };
      sessions.delete(id);
      sessions.set(id, { ...ref, transcript });
      prune();
      return true;
    },
    async rename(ref, title) {
      const session = find(idOfSession(ref));
      if (session) session.transcript.meta = { ...session.transcript.meta, title };
      return session !== undefined;
    },
    async delete(ref) {
      const id = idOfSession(ref);
      const found = find(id) !== undefined;
      sessions.delete(id);
      return found;
    },
    async list({ owner, agent, limit }) {
      prune();
      return [...sessions.values()]
        .filter(
          (session) =>
            session.owner === owner && (agent ?? session.transcript.meta.agent) === session.transcript.meta.agent,
        )
        .reverse()
        .slice(0, limit)
        .map(toInfo);
    },
    async prune() {
      prune();
    },
    async close() {
      sessions.clear();
    },
  };
}

function toInfo({ key, transcript }: Session): SessionInfo {
  return { key, ...transcript.meta, head: transcript.head?.entry.id ?? null, messages: transcript.visible.length };
}

import { anchorOf } from "./entry.ts";
import { mentions } from "./mentions.ts";
import { idOfSession, type ListPlace, type SessionInfo, type SessionStore } from "./store.ts";
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
    async find(ref) {
      const session = find(idOfSession(ref));
      return session && toInfo(session);
    },
    async append(ref, { agent, begins, ...addition }) {
      const id = idOfSession(ref);
      const at = now();
      const known = find(id)?.transcript;
      if (known && begins) return false;
      const transcript = known ?? new Transcript({ agent, title: begins?.title ?? null, createdAt: at, updatedAt: at });
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
    async list({ owner, agent, search, order = "desc", after, limit }) {
      prune();
      const sign = order === "asc" ? 1 : -1;
      return [...sessions.values()]
        .filter(
          ({ key, transcript: { meta }, ...session }) =>
            session.owner === owner &&
            (agent ?? meta.agent) === meta.agent &&
            (search === undefined || mentions(search, meta.title, key)),
        )
        .map(toInfo)
        .filter((info) => after === undefined || sign * compare(info, after) > 0)
        .sort((one, other) => sign * compare(one, other))
        .slice(0, limit);
    },
    async prune() {
      prune();
    },
    async close() {
      sessions.clear();
    },
  };
}

/** Negative when the first was used earlier. */
function compare(one: ListPlace, other: ListPlace): number {
  if (one.updatedAt !== other.updatedAt) return one.updatedAt - other.updatedAt;
  if (one.key === other.key) return 0;
  return one.key < other.key ? -1 : 1;
}

function toInfo({ key, transcript }: Session): SessionInfo {
  const { meta, head, visible, branches } = transcript;
  return { key, ...meta, head: head?.entry.id ?? null, messages: visible.length, branches };
}

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

  function findAll({ owner, agent, search, usedAfter = 0 }: Parameters<SessionStore["count"]>[0]): Session[] {
    prune();
    return [...sessions.values()].filter(
      ({ key, transcript: { meta }, ...session }) =>
        session.owner === owner &&
        (agent ?? meta.agent) === meta.agent &&
        meta.updatedAt > usedAfter &&
        (search === undefined || mentions(search, meta.title, key)),
    );
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
      if (!known && !begins && addition.entries.length === 0) return false;
      const transcript = known ?? Transcript.begin(agent, begins, at);
      const follows = anchorOf(addition);
      if (follows !== null && !transcript.get(follows)) return false;
      transcript.add(addition);
      transcript.meta = { ...transcript.meta, updatedAt: at };
      sessions.delete(id);
      sessions.set(id, { owner: ref.owner, key: ref.key, transcript });
      prune();
      return true;
    },
    async change(ref, { title, settings }) {
      const transcript = find(idOfSession(ref))?.transcript;
      if (!transcript) return false;
      const { meta } = transcript;
      const all = Object.entries({ ...meta.settings, ...settings });
      transcript.meta = {
        ...meta,
        ...(title !== undefined && { title }),
        settings: Object.fromEntries(all.filter(([, value]) => value !== null)),
      };
      return true;
    },
    async delete(ref) {
      const id = idOfSession(ref);
      const found = find(id) !== undefined;
      sessions.delete(id);
      return found;
    },
    async list({ order = "desc", after, limit, ...query }) {
      const sign = order === "asc" ? 1 : -1;
      return findAll(query)
        .map(toInfo)
        .filter((info) => after === undefined || sign * compare(info, after) > 0)
        .sort((one, other) => sign * compare(one, other))
        .slice(0, limit);
    },
    async count(query) {
      return findAll(query).length;
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

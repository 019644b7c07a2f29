import type { SessionRef, SessionStore, StoredMessage } from "./store.ts";

export interface MemoryStoreOptions {
  /** Most sessions kept; the one unused for longest goes first. */
  maxEntries: number;
  /** A session unused for this many milliseconds is forgotten. */
  pruneAfterMs: number;
  now?: () => number;
}

interface Session {
  messages: StoredMessage[];
  usedAt: number;
}

/** Sessions that last as long as the process. */
export function createMemoryStore({ maxEntries, pruneAfterMs, now = Date.now }: MemoryStoreOptions): SessionStore {
  // A Map keeps the order of insertion: a session that is used moves to the end, so the first is the oldest.
  const sessions = new Map<string, Session>();

  function touch(id: string, session: Session): void {
    session.usedAt = now();
    sessions.delete(id);
    sessions.set(id, session);
    for (const [oldest, { usedAt }] of sessions) {
      if (sessions.size <= maxEntries && usedAt > now() - pruneAfterMs) break;
      sessions.delete(oldest);
    }
  }

  function find(id: string): Session | undefined {
    const session = sessions.get(id);
    return session && session.usedAt > now() - pruneAfterMs ? session : undefined;
  }

  return {
    async read(ref) {
      const id = idOf(ref);
      const session = find(id);
      if (!session) return [];
      touch(id, session);
      // A copy: what a run reads does not change while it runs.
      return session.messages.slice();
    },
    async append(ref, messages) {
      const id = idOf(ref);
      const session = find(id) ?? { messages: [], usedAt: 0 };
      session.messages.push(...messages);
      touch(id, session);
    },
    async close() {
      sessions.clear();
    },
  };
}

function idOf({ owner, key }: SessionRef): string {
  return JSON.stringify([owner, key]);
}

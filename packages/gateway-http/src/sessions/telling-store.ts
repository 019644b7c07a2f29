import type { Addition } from "./entry.ts";
import type { SessionRef, SessionStore } from "./store.ts";

/** What became of a session besides what was said in it. */
export type SessionChanged = "create" | "patch" | "reset" | "delete";

/** Told of what happens to sessions, when it is kept. */
export interface SessionListener {
  /** What is returned is waited for: then the news of a message are out before its run begins. */
  appended(session: SessionRef, addition: Addition): Promise<void> | undefined;
  /** What is returned is waited for, too. */
  changed(session: SessionRef, what: SessionChanged): Promise<void> | undefined;
}

/**
 * A store that tells of what is done to its sessions, whoever does it. What goes wrong there is told to `onBug` and is
 * no failure of the store.
 */
export function withNews(
  store: SessionStore,
  listener: SessionListener,
  onBug: (error: unknown, context: { sessionKey: string }) => void,
): SessionStore {
  async function tell({ key: sessionKey }: SessionRef, news: () => Promise<void> | undefined): Promise<void> {
    try {
      await news();
    } catch (error) {
      onBug(error, { sessionKey });
    }
  }

  return {
    ...store,
    async append(session, addition) {
      const isKept = await store.append(session, addition);
      if (!isKept) return false;
      if (addition.entries.length > 0) await tell(session, () => listener.appended(session, addition));
      const what = whatChanged(addition);
      if (what) await tell(session, () => listener.changed(session, what));
      return true;
    },
    async change(session, change) {
      const isThere = await store.change(session, change);
      const isAny = change.title !== undefined || Object.keys(change.settings ?? {}).length > 0;
      if (isThere && isAny) await tell(session, () => listener.changed(session, "patch"));
      return isThere;
    },
    async delete(session) {
      const wasThere = await store.delete(session);
      if (wasThere) await tell(session, () => listener.changed(session, "delete"));
      return wasThere;
    },
  };
}

function whatChanged({ begins, entries, head }: Addition): SessionChanged | undefined {
  if (begins) return "create";
  // A turn moves the head, too, and is told of by its run.
  if (entries.length > 0 || head === undefined) return undefined;
  return head === null ? "reset" : "patch";
}

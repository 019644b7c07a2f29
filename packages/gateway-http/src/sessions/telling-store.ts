import type { Addition } from "./entry.ts";
import type { SessionRef, SessionStore } from "./store.ts";

/** Told of what is said in sessions. */
export interface SessionListener {
  /** Called when it is kept. What is returned is waited for: then the news of a message are out before its run begins. */
  appended(session: SessionRef, addition: Addition): Promise<void> | undefined;
}

/**
 * A store that tells of what is added to it. What goes wrong there is told to `onBug` and is no failure of the store.
 */
export function withNews(
  store: SessionStore,
  listener: SessionListener,
  onBug: (error: unknown, context: { sessionKey: string }) => void,
): SessionStore {
  async function append(session: SessionRef, addition: Addition): Promise<boolean> {
    const isKept = await store.append(session, addition);
    if (!isKept || addition.entries.length === 0) return isKept;
    try {
      await listener.appended(session, addition);
    } catch (error) {
      onBug(error, { sessionKey: session.key });
    }
    return true;
  }
  return { ...store, append };
}

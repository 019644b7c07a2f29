import type { Client, Session } from "@openclaw/client";
import type { SocketEventPayload } from "@openclaw/client/socket";
import { createStore, type Store } from "../store.ts";
import { type Problem, toProblem } from "./problem.ts";

const PAGE = 8;
const MAX_PAGE = 100;

/** The sessions that the gateway keeps for this token, the one used last first. */
export interface Sessions {
  readonly store: Store<{
    readonly list: readonly Session[];
    readonly hasMore: boolean;
    readonly problem: Problem | undefined;
  }>;
  /** The first page, as it is now. Until `clear()`, it follows what it hears. */
  load(): Promise<void>;
  /** The next one. */
  more(): Promise<void>;
  remove(session: Session): Promise<void>;
  /** Something changed in one of them; absent: in any. */
  heard(change: SocketEventPayload<"sessions.changed"> | undefined): void;
  /** Forgets them: a list of some time ago would move under the hand that is about to press it. */
  clear(): void;
}

const NOTHING = { list: [], hasMore: false, problem: undefined };

export function createSessions(client: () => Client): Sessions {
  const store: Sessions["store"] = createStore(NOTHING);
  let isShown = false;
  let isOld = false;
  let isReading = false;
  /** What was deleted may still be in an answer that is on its way. */
  const gone = new Set<string>();

  async function attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      store.set({ problem: toProblem(error) });
    }
  }

  /** New ones come first, the others stay where they are: somebody may be about to press one. */
  async function refresh(): Promise<void> {
    const limit = Math.min(Math.max(store.get().list.length, PAGE), MAX_PAGE);
    const { data, has_more } = await client().sessions.list({ limit });
    if (!isShown) return;
    const { list } = store.get();
    const fresh = data.filter(({ id }) => !gone.has(id) && list.every((session) => session.id !== id));
    const known = list.map((session) => data.find(({ id }) => id === session.id) ?? session);
    store.set({ list: [...fresh, ...known], hasMore: has_more || store.get().hasMore, problem: undefined });
  }

  /** Once at a time, and once more if there was news meanwhile. */
  async function follow(): Promise<void> {
    isOld = true;
    if (isReading) return;
    isReading = true;
    while (isOld && isShown) {
      isOld = false;
      await attempt(refresh);
    }
    isReading = false;
  }

  return {
    store,
    load() {
      isShown = true;
      return follow();
    },
    more: () =>
      attempt(async () => {
        const { list } = store.get();
        const { data, has_more } = await client().sessions.list({ limit: PAGE, after: list.at(-1)?.id });
        store.set({ list: [...list, ...data], hasMore: has_more, problem: undefined });
      }),
    remove: ({ id }) =>
      attempt(async () => {
        await client().sessions.delete(id);
        gone.add(id);
        store.set({ list: store.get().list.filter((session) => session.id !== id), problem: undefined });
      }),
    heard(change) {
      if (!isShown) return;
      if (change) {
        if (change.session === null) gone.add(change.sessionKey);
        else gone.delete(change.sessionKey);
        store.set({ list: applyChange(store.get().list, change) });
      }
      void follow();
    },
    clear() {
      isShown = false;
      store.set(NOTHING);
    },
  };
}

/** What is known at once. The rest comes with the next reading. */
function applyChange(
  list: readonly Session[],
  { sessionKey, session: row }: SocketEventPayload<"sessions.changed">,
): readonly Session[] {
  if (row === null) return list.filter(({ id }) => id !== sessionKey);
  const active_run = row.hasActiveRun ? (row.activeRunIds[0] ?? "") : null;
  return list.map((session) => (session.id === sessionKey ? { ...session, active_run } : session));
}

/** The key as a request says it, whose agent is in `model`. */
export function toBareKey({ id, agent }: Session): string {
  const prefix = `agent:${agent}:`;
  return id.startsWith(prefix) ? id.slice(prefix.length) : id;
}

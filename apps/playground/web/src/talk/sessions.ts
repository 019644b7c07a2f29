import type { Client, Session } from "@openclaw/client";
import { createStore, type Store } from "../store.ts";
import { type Problem, toProblem } from "./problem.ts";

const PAGE = 8;

/** The sessions that the gateway keeps for this token, the one used last first. */
export interface Sessions {
  readonly store: Store<{
    readonly list: readonly Session[];
    readonly hasMore: boolean;
    readonly problem: Problem | undefined;
  }>;
  /** The first page, as it is now. */
  load(): Promise<void>;
  /** The next one. */
  more(): Promise<void>;
  remove(session: Session): Promise<void>;
  /** Forgets them: a list of some time ago would move under the hand that is about to press it. */
  clear(): void;
}

const NOTHING = { list: [], hasMore: false, problem: undefined };

export function createSessions(client: () => Client): Sessions {
  const store: Sessions["store"] = createStore(NOTHING);

  async function attempt(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      store.set({ problem: toProblem(error) });
    }
  }

  return {
    store,
    load: () =>
      attempt(async () => {
        const { data, has_more } = await client().sessions.list({ limit: PAGE });
        store.set({ list: data, hasMore: has_more, problem: undefined });
      }),
    more: () =>
      attempt(async () => {
        const { list } = store.get();
        const { data, has_more } = await client().sessions.list({ limit: PAGE, after: list.at(-1)?.id });
        store.set({ list: [...list, ...data], hasMore: has_more, problem: undefined });
      }),
    remove: ({ id }) =>
      attempt(async () => {
        await client().sessions.delete(id);
        store.set({ list: store.get().list.filter((session) => session.id !== id), problem: undefined });
      }),
    clear: () => store.set(NOTHING),
  };
}

/** The key as a request says it, whose agent is in `model`. */
export function toBareKey({ id, agent }: Session): string {
  const prefix = `agent:${agent}:`;
  return id.startsWith(prefix) ? id.slice(prefix.length) : id;
}

import { createStore, type Store } from "../store.ts";
import type { Fetch } from "./fetch.ts";

/** How long a request looks for a way when there is none, as a connection to a silent network does. */
const CONNECT_TIMEOUT_MS = 6_000;

/** Between the page and the network. */
export interface Plug {
  readonly store: Store<{ pulled: boolean }>;
  readonly fetch: Fetch;
  /** Breaks every connection there is; no new one comes about. */
  pull(): void;
  plugIn(): void;
}

/**
 * A `fetch` with a plug that can be pulled. Whoever uses it sees what a network that went away would show.
 *
 * @param onChange for what else is connected
 */
export function createPlug(fetch: Fetch, onChange: (pulled: boolean) => void): Plug {
  const store = createStore({ pulled: false });
  const waiting = new Set<() => void>();
  let line = new AbortController();

  const findWay = () =>
    new Promise<void>((resolve, reject) => {
      const found = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(found);
        reject(new TypeError("The plug is pulled."));
      }, CONNECT_TIMEOUT_MS);
      waiting.add(found);
    });

  return {
    store,
    async fetch(url, init) {
      if (store.get().pulled) await findWay();
      const { signal } = line;
      return fetch(url, { ...init, signal: init.signal ? AbortSignal.any([signal, init.signal]) : signal });
    },
    pull() {
      store.set({ pulled: true });
      onChange(true);
      line.abort(new TypeError("The plug was pulled."));
      line = new AbortController();
    },
    plugIn() {
      if (!store.get().pulled) return;
      onChange(false);
      store.set({ pulled: false });
      for (const found of waiting) found();
      waiting.clear();
    },
  };
}

import { useLayoutEffect, useState } from "preact/hooks";
import type { Store } from "../store.ts";

/** The store's value; the component renders again when it is replaced. */
export function useStore<T extends object>(store: Store<T>): T {
  const [, setRendered] = useState(store.get());
  useLayoutEffect(() => {
    const update = () => setRendered(store.get());
    // It may have changed between rendering and now.
    update();
    return store.subscribe(update);
  }, [store]);
  return store.get();
}

/** A value that is replaced, never changed, and those who want to know. */
export interface Store<T> {
  get(): T;
  set(next: Partial<T>): void;
  /** Called at most once for each frame of the screen, however often the value was replaced. */
  subscribe(listener: () => void): () => void;
}

export function createStore<T extends object>(
  initial: T,
  schedule: (run: () => void) => void = requestAnimationFrame,
): Store<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  let scheduled = false;
  const notify = () => {
    scheduled = false;
    for (const listener of listeners) listener();
  };
  return {
    get: () => value,
    set(next) {
      value = { ...value, ...next };
      if (scheduled) return;
      scheduled = true;
      schedule(notify);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

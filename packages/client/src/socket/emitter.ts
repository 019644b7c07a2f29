/** Who is told of what, until they want no more of it. */
export interface Emitter<Events> {
  /** @returns what ends it */
  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): () => void;
  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void;
}

export function createEmitter<Events>(): Emitter<Events> {
  const all = new Map<keyof Events, Set<(payload: never) => void>>();
  return {
    on(name, listener) {
      // One that is added twice is told twice, and each has its own end.
      const entry = (payload: never) => listener(payload);
      const entries = all.get(name) ?? new Set();
      all.set(name, entries.add(entry));
      return () => void entries.delete(entry);
    },
    emit(name, payload) {
      for (const entry of [...(all.get(name) ?? [])]) tell(entry as (payload: unknown) => void, payload);
    },
  };
}

/** What a listener throws is its own affair: it goes where an event handler's error goes, and nothing here stops. */
export function tell<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

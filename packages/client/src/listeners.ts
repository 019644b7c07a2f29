/** Who is told of what. */
export interface Listeners<Events extends { [Name in keyof Events]: unknown[] }> {
  on<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): void;
  emit<Name extends keyof Events>(event: Name, ...args: Events[Name]): void;
  has(event: keyof Events): boolean;
}

export function createListeners<Events extends { [Name in keyof Events]: unknown[] }>(): Listeners<Events> {
  const all: { [Name in keyof Events]?: ((...args: Events[Name]) => void)[] } = {};
  return {
    on(event, listener) {
      all[event] = [...(all[event] ?? []), listener];
    },
    emit(event, ...args) {
      for (const listener of all[event] ?? []) listener(...args);
    },
    has: (event) => event in all,
  };
}

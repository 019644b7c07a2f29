/** How reading ends, for those who wait for that. */
export interface Outcome<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function createOutcome<T>(): Outcome<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  // Whoever reads the chunks has had the error; it is not unhandled when nobody asks for the outcome.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

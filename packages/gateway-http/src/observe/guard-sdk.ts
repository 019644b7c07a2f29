let tell: (error: unknown) => void = () => {};
let isTold = false;

/** Told of the first thing that an SDK threw. A process has one SDK: the gateway that was made last is the one told. */
export function onSdkFault(listener: (error: unknown) => void): void {
  tell = listener;
  isTold = false;
}

/** Calls an SDK, which is anybody's code: what it throws costs a trace and nothing else. */
export function guarded<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (!isTold) {
      isTold = true;
      tell(error);
    }
    return undefined;
  }
}

/** Has an SDK run something: once, also where it throws before or behind it. What is run throws as it would alone. */
export function runGuarded<T>(call: (run: () => void) => void, run: () => T): T {
  let result: (() => T) | undefined;
  guarded(() =>
    call(() => {
      result ??= settle(run);
    }),
  );
  return result ? (result as () => T)() : run();
}

function settle<T>(run: () => T): () => T {
  try {
    const value = run();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** SIGBREAK is Ctrl-Break, of Windows alone. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129, SIGBREAK: 149 } as const;

/**
 * Settles with the first signal that asks to stop, and the exit code that tells of it. The second ends the process:
 * sockets are cut, not ended, so no half looks whole. Without this a signal would end it at once, and what it started
 * would stay.
 */
export function onStopSignal(): Promise<number> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const [signal, exitCode] of Object.entries(EXIT_CODES)) {
      process.on(signal, () => {
        if (isStopping) process.exit(exitCode);
        isStopping = true;
        resolve(exitCode);
      });
    }
  });
}

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import spawn from "cross-spawn";

/** How long a group may take to end when it is asked to, each time it is asked. */
const GRACE_MS = 2000;
const POLL_MS = 25;

/** A program and all it started, as far as that did not leave the group by itself. */
export interface ProcessGroup {
  readonly child: ChildProcessWithoutNullStreams;
  /**
   * Ends all of it: by the end of its input, after 2 s by SIGTERM, after 2 s more by SIGKILL. Also to be called when the
   * program ended by itself, because what it started may still be there.
   */
  end(): Promise<void>;
}

const living = new Set<ProcessGroup["child"]>();

/**
 * Starts a program as the head of a process group of its own, so that what it starts in turn (`npx` starts the server)
 * can be ended with it. Groups that are there when this process exits are killed.
 *
 * @throws what `spawn` throws at once; a program that is not there is an `error` event of the child
 */
export function startGroup(command: string, args: readonly string[], env: Record<string, string>): ProcessGroup {
  const child = spawn(command, [...args], {
    env,
    stdio: "pipe",
    detached: process.platform !== "win32",
    windowsHide: true,
  }) as ChildProcessWithoutNullStreams;
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.once("error", () => child.pid === undefined && resolve());
  if (child.pid !== undefined) remember(child);

  async function end(): Promise<void> {
    child.stdin.end();
    await Promise.race([exited, delay(GRACE_MS, undefined, { ref: false })]);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (!isAlive(child)) break;
      send(child, signal);
      for (let waited = 0; waited < GRACE_MS && isAlive(child); waited += POLL_MS) {
        await delay(POLL_MS);
      }
    }
    forget(child);
  }

  return { child, end };
}

function isAlive(child: ProcessGroup["child"]): boolean {
  if (child.pid === undefined) return false;
  if (process.platform === "win32") return child.exitCode === null && child.signalCode === null;
  try {
    return process.kill(-child.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function send(child: ProcessGroup["child"], signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" }).on("error", () => child.kill());
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

function remember(child: ProcessGroup["child"]): void {
  if (living.size === 0) process.on("exit", killAll);
  living.add(child);
}

function forget(child: ProcessGroup["child"]): void {
  if (living.delete(child) && living.size === 0) process.off("exit", killAll);
}

/** The last moment of this process: nothing can be waited for. */
function killAll(): void {
  for (const child of living) send(child, "SIGKILL");
}

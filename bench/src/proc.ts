import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** The target has core 0 to itself; what surrounds it shares core 1. */
export const TARGET_CORE = 0;
export const LOAD_CORE = 1;

const LOG_TAIL = 2000;
const children = new Set<ChildProcess>();

/** False without `taskset` or with a single core: the figures are then those of processes that share their cores. */
export const canPin = availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"]).status === 0;

/** Ends all children at once, whatever they do: nothing of a bench may outlive it. */
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

export type Running = {
  pid: number;
  /** Null while it runs, then how it ended. */
  death: string | null;
  /** The end of what it printed. */
  log: string;
  ended: Promise<void>;
  stop(): Promise<void>;
};

type LaunchOptions = {
  core: number;
  env?: Record<string, string>;
  /** A channel that tells our own processes when the bench is gone, even if it was killed. */
  hasChannel?: boolean;
  onOutput?(text: string): void;
};

/** Starts `node <args>` on one core. */
export function launch(args: string[], options: LaunchOptions): Running {
  const command = [process.execPath, ...args];
  const [file = "", ...rest] = canPin ? ["taskset", "-c", String(options.core), ...command] : command;
  const child = spawn(file, rest, {
    stdio: ["ignore", "pipe", "pipe", ...(options.hasChannel ? (["ipc"] as const) : [])],
    env: { ...process.env, ...options.env },
  });
  children.add(child);
  // `close`, not `exit`: only then has everything it printed arrived.
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const running: Running = { pid: child.pid ?? 0, death: null, log: "", ended, stop };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      running.log = (running.log + text).slice(-LOG_TAIL);
      if (stream === child.stdout) options.onOutput?.(text);
    });
  }
  child.on("error", (error) => settle(error.message));
  child.on("exit", (code, signal) => settle(signal ?? `exit code ${code}`));
  return running;

  function settle(death: string): void {
    running.death ??= death;
    children.delete(child);
  }

  async function stop(): Promise<void> {
    child.kill("SIGKILL");
    await ended;
  }
}

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

/** Waits until GET /readyz answers 200. */
export async function untilReady(running: Running, port: number, timeoutMs = 15_000): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (performance.now() < giveUpAt) {
    if (running.death !== null) throw new Error(`ended before it was ready: ${running.death}\n${running.log}`);
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      await answer.arrayBuffer();
      if (answer.status === 200) return;
    } catch {
      // Not listening yet.
    }
    await sleep(5);
  }
  throw new Error(`not ready after ${timeoutMs} ms\n${running.log}`);
}

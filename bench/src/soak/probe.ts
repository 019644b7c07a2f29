/**
 * Loaded before the gateway with `--import`: tells its memory and what it holds open when the soak asks over the
 * channel. `--expose-gc` makes the figures those of what is in use, not of what is to be collected.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";

export type Reading = { heap: number; external: number; rss: number; handles: Record<string, number> };

if (isMainThread && process.send) {
  process.on("message", async (message: { collect: boolean }) => {
    if (message.collect) {
      // What finalizers let go in one round is collected in the next.
      for (let round = 0; round < 3; round++) {
        globalThis.gc?.();
        await sleep(20);
      }
    }
    process.send?.(read());
  });
  process.channel?.unref();
}

function read(): Reading {
  const { heapUsed, external, rss } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
  return { heap: heapUsed, external, rss, handles };
}

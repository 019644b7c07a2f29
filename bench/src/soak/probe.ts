/**
 * Loaded before the gateway with `--import`: tells its memory and what it holds open when the soak asks over the
 * channel. `--expose-gc` makes the figures those of what is in use, not of what is to be collected.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";

export type Reading = {
  heap: number;
  external: number;
  rss: number;
  /** Resident, and none of V8's pages: of these V8 keeps as many as it ever had, in use or not. */
  native: number;
  handles: Record<string, number>;
};

/** V8 takes its memory in pages of this size, each a mapping of its own. */
const V8_PAGE = 256 * 1024;

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
  return { heap: heapUsed, external, rss, native: readNative(), handles };
}

/** @see https://www.kernel.org/doc/html/latest/filesystems/proc.html the section about `smaps` */
function readNative(): number {
  let native = 0;
  let isV8 = false;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    const [, from = "", to = "", name] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (to !== "") isV8 = name === "" && Number.parseInt(to, 16) - Number.parseInt(from, 16) === V8_PAGE;
    const [, resident] = /^Rss: +(\d+) kB/.exec(line) ?? [];
    if (resident !== undefined && !isV8) native += Number(resident) * 1024;
  }
  return native;
}

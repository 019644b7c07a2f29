/**
 * Loaded before a gateway with `--import`: collects garbage and tells memory to whoever connects to its name, which is
 * no file and no port (Linux's abstract sockets). What is in use is what a socket costs; what waits to be collected is
 * not.
 */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";
import { toProbeName } from "./load/memory.ts";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  createServer(async (socket) => {
    // What finalizers let go in one round is collected in the next.
    for (let round = 0; round < 3; round++) {
      collect();
      await sleep(20);
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    socket.end(JSON.stringify({ heap: heapUsed + external, rss }));
  })
    .listen(toProbeName(process.pid))
    .unref();
}

/** Reads streams with one target, in a process of its own, and tells what that took. Arguments: a `Job` as JSON. */
import { promiseHooks } from "node:v8";
import type { Connect, Read } from "./target.ts";
import { createDigest, expectedOf } from "./text.ts";

export interface Job {
  target: string;
  /** Of the server, without a path. */
  url: string;
  mode: string;
  /** Of one stream; even. */
  chunks: number;
  /** At a time. */
  streams: number;
  /** Chunks of one stream that are read before anything is measured. */
  warmUp: number;
}

/** What one process measured. */
export interface Figures {
  chunksPerSecond: number;
  /** µs of CPU time, of all threads of the process. */
  cpuPerChunk: number;
  /** Promises made. */
  promisesPerChunk: number;
  /** Bytes of resident memory at most, above that before the first stream. */
  peakMemory: number;
  /** Bytes on the heap that cannot be freed while a stream is open. Only where streams are held half-way. */
  heapPerStream?: number;
}

/** Text pieces by which promises are counted: the count is the same every time. */
const COUNTED = 400;

const { target, url, mode, chunks, streams, warmUp } = JSON.parse(process.argv[2] ?? "") as Job;
const { connect } = (await import(`./targets/${target}.ts`)) as { connect: Connect };
const readOf = (how: string, length: number) => connect(`${url}/${how}/${length}/v1`);

await collect();
const memoryBefore = process.memoryUsage.rss();
await readAll(readOf("flat", warmUp), warmUp, 1);
await collect();
const heapBefore = process.memoryUsage().heapUsed;
let heapPerStream: number | undefined;

const read = readOf(mode, chunks);
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
await readAll(read, chunks, streams, mode === "held" ? onHalf : undefined);
const seconds = (performance.now() - startedAt) / 1000;
const cpu = process.cpuUsage(cpuBefore);
const total = chunks * streams;
const peakMemory = process.resourceUsage().maxRSS * 1024 - memoryBefore;

const how = mode === "paced" ? "paced" : "flat";
let promises = 0;
const stop = promiseHooks.onInit(() => promises++);
await readAll(readOf(how, COUNTED), COUNTED, 1);
stop();

process.send?.({
  chunksPerSecond: total / seconds,
  cpuPerChunk: (cpu.user + cpu.system) / total,
  promisesPerChunk: promises / COUNTED,
  peakMemory,
  ...(heapPerStream !== undefined && { heapPerStream }),
} satisfies Figures);
process.disconnect();

/** @throws Error when a stream was not read as it was written */
async function readAll(read: Read, length: number, count: number, onHalf?: () => Promise<void>): Promise<void> {
  const expected = expectedOf(length);
  let waiting = count;
  await Promise.all(
    Array.from({ length: count }, async () => {
      const digest = createDigest();
      await read((text) => {
        digest.add(text);
        if (onHalf && digest.chunks === length / 2 && text !== "" && --waiting === 0) void onHalf();
      });
      if (digest.read() !== expected) throw new Error(`${target} read ${digest.read()} in place of ${expected}.`);
    }),
  );
}

async function onHalf(): Promise<void> {
  await collect();
  heapPerStream = (process.memoryUsage().heapUsed - heapBefore) / streams;
  await fetch(`${url}/release`);
}

/** More than once, and off the stack of whoever asks: what one collection frees lets the next one free more. */
async function collect(): Promise<void> {
  for (let time = 0; time < 5; time++) {
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
}

import { connect } from "node:net";
import { text } from "node:stream/consumers";

/** Bytes in use after a collection: V8's heap with what hangs on it, and all that is resident. */
export type Memory = { heap: number; rss: number };

/** The name of a process's `heap-probe.ts`: it begins with a zero, so it is none in the file system. */
export function toProbeName(pid: number): string {
  return `\0openclaw-bench-${pid}`;
}

/** Of a process that has loaded `heap-probe.ts`. */
export async function readMemory(pid: number): Promise<Memory> {
  return JSON.parse(await text(connect(toProbeName(pid)))) as Memory;
}

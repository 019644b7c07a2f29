import { setImmediate as nextLoop } from "node:timers/promises";

/** Of a provider that is faster than we are, there is always more. */
const MAX_PARTS = 64;

/**
 * What a stream gives, in groups: what is there without waiting for the network comes together. The libraries hand out
 * one part at a time, however many one packet brought.
 */
export async function* together<T>(stream: ReadableStream<T>): AsyncGenerator<readonly T[]> {
  const reader = stream.getReader();
  try {
    let next = reader.read();
    for (;;) {
      let result: Awaited<typeof next> | undefined = await next;
      const parts: T[] = [];
      // Whatever takes no more than promises to arrive is here before the loop turns.
      const turn = nextLoop();
      while (result && !result.done) {
        parts.push(result.value);
        next = reader.read();
        // Whoever has the group may be slow, and what fails meanwhile is for the next round.
        next.catch(() => {});
        if (parts.length === MAX_PARTS) break;
        result = await Promise.race([next, turn as Promise<undefined>]).catch(() => undefined);
      }
      if (parts.length > 0) yield parts;
      if (result?.done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

import { expect, test } from "vitest";
import type { RunEvent } from "../../src/chat/run-event.ts";
import { createAnswer, gather } from "../../src/chat/to-completion.ts";
import { createDecoder } from "../models/decode.ts";
import { collectGarbage } from "../support/garbage.ts";
import { chunk } from "../support/stand-in-provider.ts";

const STREAMS = 20;
const TOKENS = 2000;

/** What one stream of these deltas, read one by one, keeps until its end. Bytes. */
function kept(delta: string): number {
  const read = Buffer.from(
    `data: ${JSON.stringify({ ...chunk({ content: delta }), fingerprint: "x".repeat(200) })}\n\n`,
  );
  const streams = Array.from({ length: STREAMS }, () => ({ decoder: createDecoder(), answer: createAnswer() }));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (const { decoder, answer } of streams) {
    for (let token = 0; token < TOKENS; token++)
      for (const event of decoder.decode(read)) gather(answer, event as RunEvent);
  }
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - before) / STREAMS;
  for (const { answer } of streams) expect(answer.text).toHaveLength(TOKENS * delta.length);
  return bytes;
}

test("a stream keeps about as much as it said, not what it was said in", () => {
  for (const delta of [" hello", "a somewhat longer delta"]) {
    kept(delta);
    expect(kept(delta)).toBeLessThan(2 * TOKENS * delta.length + 64 * 1024);
  }
});

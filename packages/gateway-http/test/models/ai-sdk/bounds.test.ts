import { expect, test } from "vitest";
import { createBound } from "../../../src/models/ai-sdk/bounds.ts";
import { ask, hi } from "../../support/chat.ts";
import { anthropic } from "../../wires/anthropic.ts";
import { bedrock } from "../../wires/bedrock.ts";
import { google } from "../../wires/google.ts";
import { startOnWire } from "./on-wire.ts";

const MIB = 1024 * 1024;
const ENDLESS = "The provider sent an event without an end.";

/** What is said of these pieces, until something is. */
function judge(contentType: string, pieces: Iterable<string | Uint8Array>): string | undefined {
  const bound = createBound(contentType);
  if (!bound) throw new Error("refused");
  for (const piece of pieces) {
    const problem = bound(Buffer.from(piece as string));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function* times(count: number, piece: string | Uint8Array) {
  for (let at = 0; at < count; at++) yield piece;
}

function frame(length: number, body = Math.max(0, length - 4)): Buffer {
  const bytes = Buffer.alloc(4 + body);
  bytes.writeUInt32BE(length);
  return bytes;
}

test.each(["\n", "\r\n", "\r"])("an event ends with a blank line of %j, wherever the reads end", (line) => {
  const event = `data: ${"x".repeat(MIB)}${line}${line}`;
  expect(judge("text/event-stream; charset=utf-8", times(9, event))).toBeUndefined();
  const cut = [event.slice(0, -line.length), line, event.slice(0, -1), line.slice(-1)];
  expect(judge("text/event-stream", Array.from({ length: 4 }, () => cut).flat())).toBeUndefined();
  expect(judge("text/event-stream", times(5, `data: ${"x".repeat(MIB)}${line}`))).toBe(ENDLESS);
});

test("a frame that claims too much is refused before it came, others may come in any pieces", () => {
  const type = "application/vnd.amazon.eventstream";
  const frames = Buffer.concat([frame(2 * MIB), frame(300), frame(2 * MIB), frame(16)]);
  expect(judge(type, [frames])).toBeUndefined();
  const pieces = Array.from({ length: Math.ceil(frames.length / 1009) }, (_, at) =>
    frames.subarray(at * 1009, at * 1009 + 1009),
  );
  expect(judge(type, pieces)).toBeUndefined();
  expect(judge(type, [frame(20), Buffer.from([0x7f]), Buffer.from([0, 0, 0])])).toBe(ENDLESS);
  expect(judge(type, [frame(0)])).toBe("The provider sent an event without a length.");
});

test("an answer in one piece may be large, but not without a limit", () => {
  expect(judge("application/json; charset=UTF-8", times(64, Buffer.alloc(MIB)))).toBeUndefined();
  expect(judge("application/json", times(65, Buffer.alloc(MIB)))).toBe("The provider's answer is too large.");
});

test("what is neither JSON nor events is not read", async () => {
  expect(createBound("")).toBeUndefined();
  expect(createBound("text/plain")).toBeUndefined();
  const { frames } = anthropic;
  const { body, end } = frames({ text: ["Hi"] });
  const on = await startOnWire(anthropic, { steps: [{ contentType: "text/plain", pieces: [...body, ...end] }] });
  const { status, json } = await ask(on, hi({ stream: true }));
  expect(status).toBe(502);
  expect(json.error).toMatchObject({
    code: "provider_bad_response",
    message: "The provider anthropic-messages answered with neither JSON nor events.",
  });
});

test.each([
  [anthropic, "text/event-stream", ["data: ", ...times(80, "x".repeat(64 * 1024))]],
  [google, "text/event-stream", [...times(80, `data: ${"x".repeat(64 * 1024)}\n`)]],
  [bedrock, "application/vnd.amazon.eventstream", [frame(0x7fffffff, 8), ...times(3, Buffer.alloc(1024))]],
])("an event without an end is given up: $name", async (wire, contentType, pieces) => {
  const on = await startOnWire(wire, { steps: [{ contentType, pieces }] });
  const { status, json } = await ask(on, hi({ stream: true }));
  expect(status).toBe(502);
  expect(json.error).toMatchObject({ code: "provider_bad_response", message: ENDLESS });
});

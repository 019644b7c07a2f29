import { expect, test } from "vitest";
import { isUnknownNews } from "../../../src/models/ai-sdk/unknown-news.ts";
import { ask, askStream, hi } from "../../support/chat.ts";
import { anthropic } from "../../wires/anthropic.ts";
import { sse } from "../../wires/wire.ts";
import { startOnWire } from "./on-wire.ts";

const { body, end } = anthropic.frames({
  text: ["One, ", "two."],
  usage: { input: 3, cached: 0, output: 2, reasoning: 0 },
});
const [start = "", ...rest] = body;
const event = (value: { type: string } & Record<string, unknown>) => sse(value, value.type);
const answer = (...news: string[]) => ({
  contentType: "text/event-stream",
  pieces: [start, ...news, ...rest, ...end],
});

test.each([
  ["an event", event({ type: "later_event", x: 1 })],
  [
    "a block",
    event({ type: "content_block_start", index: 7, content_block: { type: "later_block" } }) +
      event({ type: "content_block_delta", index: 7, delta: { type: "later_delta" } }) +
      event({ type: "content_block_stop", index: 7 }),
  ],
])("%s of a type that nobody knows yet is passed over", async (_title, news) => {
  const on = await startOnWire(anthropic, { steps: [answer(news)] });
  const { text, error, finishReason } = await askStream(on);
  expect({ text, error, finishReason }).toEqual({ text: "One, two.", error: undefined, finishReason: "stop" });
});

test.each([
  ["is not JSON", "data: {oops\n\n"],
  ["has no type", sse({ x: 1 })],
  ["lacks what its type has", event({ type: "content_block_start", index: 0, content_block: { type: "text" } })],
])("an event that %s still ends the answer", async (_title, news) => {
  const on = await startOnWire(anthropic, { steps: [answer(news)] });
  const { status, json } = await ask(on, hi({ stream: true }));
  expect(status).toBe(502);
  expect(json.error.code).toBe("provider_bad_response");
});

test("other errors are no news", () => {
  expect(isUnknownNews(undefined)).toBe(false);
  expect(isUnknownNews("x")).toBe(false);
  expect(isUnknownNews(Object.assign(new Error("x"), { name: "AI_TypeValidationError" }))).toBe(false);
});

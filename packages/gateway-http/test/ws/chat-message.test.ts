import { chatMessageSchema } from "@openclaw/protocol/socket";
import { expect, test } from "vitest";
import type { TurnMessage } from "../../src/chat/turn.ts";
import type { Entry } from "../../src/sessions/entry.ts";
import { Transcript } from "../../src/sessions/transcript.ts";
import { toChatMessages, visibleTo, withText } from "../../src/ws/chat-message.ts";

/** A talk of these messages, each the child of the one before, the last of them the head. */
function talkOf(...entries: (Partial<Entry> & { message: TurnMessage })[]): Transcript {
  const transcript = Transcript.begin("main", undefined, 0);
  const all = entries.map((more, index): Entry => {
    const parent = index === 0 ? null : `m${index - 1}`;
    return { id: `m${index}`, parent, runId: "run-1", at: 1000 + index, ...more };
  });
  transcript.add({ entries: all, head: `m${all.length - 1}` });
  return transcript;
}

const user = (content: string): TurnMessage => ({ role: "user", content });
const assistant = (content: string): TurnMessage => ({ role: "assistant", content });
const call = (id: string, text: string) => ({
  id,
  type: "function" as const,
  function: { name: "f", arguments: text },
});

function tell(transcript: Transcript) {
  const messages = toChatMessages(visibleTo(transcript));
  for (const message of messages) expect(chatMessageSchema.parse(message)).toEqual(message);
  return messages;
}

test("a question and its answer", () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
  expect(tell(talkOf({ message: user("hi") }, { message: assistant("hello"), usage }))).toEqual([
    {
      role: "user",
      content: "hi",
      timestamp: 1000,
      idempotencyKey: "run-1:user",
      __openclaw: { id: "m0", seq: 1, runId: "run-1" },
    },
    {
      role: "assistant",
      content: [{ type: "text", text: "hello" }],
      timestamp: 1001,
      stopReason: "stop",
      usage: { input: 3, output: 4, totalTokens: 7 },
      __openclaw: { id: "m1", seq: 2, runId: "run-1" },
    },
  ]);
});

test("only the last question and answer that came with a run are its own", () => {
  const talk = talkOf(
    { message: user("old") },
    { message: assistant("older answer") },
    { message: user("new") },
    { message: assistant("new answer") },
    { message: user("next"), runId: "run-2" },
  );
  const told = tell(talk).map(({ idempotencyKey, __openclaw: { seq, runId } }) => [seq, runId, idempotencyKey]);
  expect(told).toEqual([
    [1, undefined, undefined],
    [2, undefined, undefined],
    [3, "run-1", "run-1:user"],
    [4, "run-1", undefined],
    [5, "run-2", "run-2:user"],
  ]);
  // While it is being answered, an answer of before is not that of the run.
  const asked = toChatMessages(visibleTo(talk, "m2")).map(({ __openclaw: { runId } }) => runId);
  expect(asked).toEqual([undefined, undefined, "run-1"]);
  // A part of a talk is the same as in the whole.
  expect(toChatMessages(visibleTo(talk), 1, 4)).toEqual(tell(talk).slice(1, 4));
  expect(toChatMessages(visibleTo(talk), 3, 3)).toEqual([]);
});

test("calls of the client's tools and their results, and nothing of the agent's own steps", () => {
  const talk = talkOf(
    { message: user("go") },
    { message: { role: "assistant", content: null, tool_calls: [call("own", "{}")] }, hidden: true },
    { message: { role: "tool", tool_call_id: "own", content: "secret" }, hidden: true },
    { message: { role: "assistant", content: "well", tool_calls: [call("a", '{"x":1}'), call("b", "{broken")] } },
    { message: { role: "tool", tool_call_id: "a", content: [{ type: "text", text: "done" }] }, runId: "run-2" },
    { message: { role: "assistant", content: null, tool_calls: [call("c", "{}")] }, runId: "run-2" },
  );
  const told = tell(talk);
  expect(JSON.stringify(told)).not.toContain("secret");
  expect(told.map(({ __openclaw: { seq } }) => seq)).toEqual([1, 2, 3, 4]);
  expect(told[1]).toMatchObject({
    stopReason: "toolUse",
    content: [
      { type: "text", text: "well" },
      { type: "toolCall", id: "a", name: "f", arguments: { x: 1 } },
      { type: "toolCall", id: "b", name: "f", arguments: "{broken" },
    ],
  });
  expect(told[2]).toMatchObject({ role: "toolResult", toolCallId: "a", content: [{ type: "text", text: "done" }] });
  expect(told[3]?.content).toEqual([{ type: "toolCall", id: "c", name: "f", arguments: {} }]);
});

test("pictures and files are told of without what is in them", () => {
  const content: TurnMessage["content"] = [
    { type: "text", text: "look" },
    { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
    { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    { type: "input_audio", input_audio: { data: "QUJD", format: "wav" } },
    { type: "file", file: { file_data: "data:application/pdf;base64,QUJD", filename: "a.pdf" } },
    { type: "file", file: { file_id: "file-1" } },
  ];
  const [told] = tell(talkOf({ message: { role: "user", content } }));
  expect(told?.content).toEqual([
    { type: "text", text: "look" },
    { type: "image", mimeType: "image/png", omitted: true },
    { type: "image", omitted: true },
    { type: "audio", mimeType: "audio/wav", omitted: true },
    { type: "file", mimeType: "application/pdf", fileName: "a.pdf", omitted: true },
    { type: "file", omitted: true },
  ]);
});

test("what was cut short, and what was refused, says so", () => {
  const refusal: TurnMessage = { role: "assistant", content: null, refusal: "I cannot" };
  const told = tell(talkOf({ message: assistant("I was"), aborted: true }, { message: refusal }));
  expect(told.map(({ stopReason, content }) => [stopReason, content])).toEqual([
    ["aborted", [{ type: "text", text: "I was" }]],
    ["stop", [{ type: "text", text: "I cannot" }]],
  ]);
});

test("a text that is too long is cut, between characters, and its end is marked", () => {
  const long = talkOf(
    { message: user("abcdef") },
    { message: { role: "assistant", content: "x😀y", tool_calls: [call("a", "{}")] } },
    { message: { role: "user", content: ["abc", "def", "ghi"].map((text) => ({ type: "text" as const, text })) } },
    { message: user("abcd") },
  );
  const cut = "\n...(truncated)...";
  const [first, second] = tell(long).map((message) => withText(message, 2));
  expect(first?.content).toBe(`ab${cut}`);
  expect(second?.content).toEqual([
    { type: "text", text: `x\ufffd${cut}` },
    { type: "toolCall", id: "a", name: "f", arguments: {} },
  ]);
  const [, , third, fourth] = tell(long).map((message) => withText(message, 4));
  expect(third?.content).toEqual([
    { type: "text", text: "abc" },
    { type: "text", text: `d${cut}` },
    { type: "text", text: cut },
  ]);
  expect(fourth?.content).toBe("abcd");
});

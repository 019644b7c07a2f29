import { expect, test } from "vitest";
import { messageSchema } from "../src/index.ts";

const text = { type: "text", text: "hi" };
const call = { id: "call_1", type: "function", function: { name: "f", arguments: '{"broken' } };
const image = (detail?: unknown) => ({ type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail } });

test.each<[string, object]>([
  ["system", { role: "system", content: "be brief" }],
  ["system in parts", { role: "system", content: [text, text], name: "s" }],
  ["developer", { role: "developer", content: "be brief", name: null }],
  ["developer in parts", { role: "developer", content: [text] }],
  ["user", { role: "user", content: "hi", name: "ann" }],
  ["user with nothing to say", { role: "user", content: "" }],
  ["user in no parts", { role: "user", content: [] }],
  ["text part", { role: "user", content: [text] }],
  ["image part", { role: "user", content: [image("original"), image("low"), image(null)] }],
  ["audio part", { role: "user", content: [{ type: "input_audio", input_audio: { data: "AA==", format: "wav" } }] }],
  ["file part", { role: "user", content: [{ type: "file", file: { file_id: null, filename: "a.pdf" } }] }],
  ["assistant", { role: "assistant", content: "hello" }],
  ["assistant in parts", { role: "assistant", content: [text, { type: "refusal", refusal: "no" }] }],
  ["assistant that refused", { role: "assistant", content: null, refusal: "no" }],
  ["assistant that called a tool", { role: "assistant", content: null, tool_calls: [call] }],
  ["assistant without content", { role: "assistant", tool_calls: [call] }],
  ["assistant as SDKs echo it", { role: "assistant", content: "a", refusal: null, audio: null, function_call: null }],
  [
    "custom tool call",
    { role: "assistant", tool_calls: [{ id: "c", type: "custom", custom: { name: "n", input: "" } }] },
  ],
  ["tool", { role: "tool", content: "42", tool_call_id: "call_1" }],
  ["tool in parts", { role: "tool", content: [text], tool_call_id: "call_1" }],
  ["function", { role: "function", content: null, name: "f" }],
])("a message is read as it is: %s", (_, message) => {
  expect(messageSchema.parse(message)).toEqual(message);
});

test.each<[string, unknown, string]>([
  ["no object", "hi", ""],
  ["no role", { content: "hi" }, "role"],
  ["a role of no one", { role: "admin", content: "hi" }, "role"],
  ["a role of the prototype", { role: "constructor", content: "hi" }, "role"],
  ["a user without content", { role: "user" }, "content"],
  ["a user whose content is null", { role: "user", content: null }, "content"],
  ["a part of no kind", { role: "user", content: [text, { type: "video" }] }, "content"],
  ["a text part without text", { role: "user", content: [{ type: "text" }] }, "content"],
  ["an image in a system message", { role: "system", content: [image()] }, "content"],
  ["an image as bare text", { role: "user", content: [{ type: "image_url", image_url: "https://a.b/c" }] }, "content"],
  ["a refusal by the user", { role: "user", content: [{ type: "refusal", refusal: "no" }] }, "content"],
  ["a number for a name", { role: "user", content: "hi", name: 1 }, "name"],
  ["a tool result for no call", { role: "tool", content: "42" }, "tool_call_id"],
  ["a tool result for an empty call id", { role: "tool", content: "42", tool_call_id: "" }, "tool_call_id"],
  ["a tool call without id", { role: "assistant", tool_calls: [call, { ...call, id: undefined }] }, "tool_calls.1.id"],
  [
    "tool arguments that are no text",
    { role: "assistant", tool_calls: [{ ...call, function: { name: "f", arguments: {} } }] },
    "tool_calls.0.function.arguments",
  ],
])("a message is refused for %s", (_, message, path) => {
  const { error } = messageSchema.safeParse(message);
  expect(error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
});

test("only the first bad part is reported, with its place", () => {
  const { error } = messageSchema.safeParse({ role: "user", content: [text, { type: "text", text: 1 }, 2, 3] });
  const [issue] = error?.issues ?? [];
  if (issue?.code !== "invalid_union") throw new Error("expected a union");
  expect(issue.errors[1]?.map((inner) => inner.path)).toEqual([[1, "text"]]);
});

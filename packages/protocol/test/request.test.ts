import fc from "fast-check";
import { expect, test } from "vitest";
import { chatCompletionRequestSchema, MAX_MESSAGES, MAX_MODEL_LENGTH, MAX_TOOLS } from "../src/index.ts";

const user = { role: "user", content: "hi" };
const tool = (name: string) => ({ type: "function", function: { name } });

function parse(members: object) {
  return chatCompletionRequestSchema.parse({ messages: [user], ...members });
}

/** The path of the first thing found wrong, as `a.0.b`; `undefined` when all is well. */
function wrong(members: object): string | undefined {
  const result = chatCompletionRequestSchema.safeParse({ messages: [user], ...members });
  return result.error?.issues[0]?.path.join(".");
}

test("the smallest request is one message", () => {
  expect(parse({})).toEqual({ messages: [user] });
});

test("a request needs messages", () => {
  for (const messages of [undefined, null, "hi", {}]) expect(wrong({ messages })).toBe("messages");
  expect(wrong({ messages: [] })).toBeUndefined();
});

test.each(Object.keys(chatCompletionRequestSchema.shape).filter((name) => name !== "messages"))(
  "%s may be absent or null",
  (name) => {
    expect(parse({ [name]: null })).toEqual({ messages: [user], [name]: null });
    expect(parse({ [name]: undefined })[name as "user"] ?? undefined).toBeUndefined();
  },
);

test.each<[string, unknown[], unknown[]]>([
  ["model", ["", "openclaw", "m".repeat(MAX_MODEL_LENGTH), ` ${"m".repeat(MAX_MODEL_LENGTH)} `], [1, "m".repeat(257)]],
  ["stream", [true, false], ["true", 1]],
  ["stream_options", [{}, { include_usage: true }, { include_usage: null }], [true, []]],
  ["user", ["", "ünïcode 日本"], [1, {}]],
  ["tools", [[], [tool("f")], [tool("a-b_9")], [{ type: "custom", custom: { name: "c" } }]], [{}, "f"]],
  ["tool_choice", ["auto", "none", "required", tool("f")], ["any", 1, { type: "x" }, { type: "function" }]],
  [
    "tool_choice",
    [
      { type: "custom", custom: { name: "c" } },
      { type: "allowed_tools", allowed_tools: {} },
    ],
    [[]],
  ],
  ["parallel_tool_calls", [true, false], ["no"]],
  ["response_format", [{ type: "text" }, { type: "json_object" }], ["json", { type: "xml" }, { type: "json_schema" }]],
  ["temperature", [0, 0.7, 2], [-0.1, 2.1, "1", Number.POSITIVE_INFINITY]],
  ["top_p", [0, 1], [-0.1, 1.1]],
  ["frequency_penalty", [-2, 2], [-2.1, 2.1]],
  ["presence_penalty", [-2, 2], [-2.1, 2.1]],
  ["seed", [0, -1, Number.MAX_SAFE_INTEGER], [1.5, "1", 2 ** 63]],
  ["stop", ["x", [], ["a"], ["a", "b", "c", "d"]], ["", [""], ["a", "b", "c", "d", "e"], 1, [1]]],
  ["max_completion_tokens", [1, 100_000], [0, -1, 1.5, "1"]],
  ["max_tokens", [1], [0, -1, 1.5]],
  ["reasoning_effort", ["low", "xhigh"], [1]],
  ["metadata", [{}, { a: "b" }, { ["k".repeat(64)]: "v".repeat(512) }], [[], "x", { a: 1 }, { a: null }]],
  ["metadata", [pairs(16)], [pairs(17), { ["k".repeat(65)]: "v" }, { k: "v".repeat(513) }]],
  ["store", [true, false], ["yes"]],
  ["n", [1, 2], [0, 1.5]],
  ["logprobs", [true, false], [1]],
  ["top_logprobs", [0, 5], [1.5]],
  ["modalities", [["text"], ["text", "audio"]], ["text", [1]]],
])("%s takes what it should and refuses the rest", (name, good, bad) => {
  for (const value of good) expect(wrong({ [name]: value }), JSON.stringify(value)).toBeUndefined();
  for (const value of bad) expect(wrong({ [name]: value }), JSON.stringify(value)).toMatch(new RegExp(`^${name}\\b`));
});

function pairs(count: number) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
}

test("what OpenAI knows and we do not serve is kept, to be refused by name", () => {
  const members = { audio: { voice: "ash" }, functions: [{ name: "f" }], function_call: "auto", logprobs: true, n: 2 };
  expect(parse(members)).toMatchObject(members);
});

test("a model name is trimmed and keeps its case", () => {
  expect(parse({ model: "  OpenClaw:Main\n" }).model).toBe("OpenClaw:Main");
});

test("a tool's name has 1 to 64 letters, digits, _ or -", () => {
  for (const name of ["", "a b", "a.b", "é", "a".repeat(65)]) {
    expect(wrong({ tools: [tool("ok"), tool(name)] })).toBe("tools.1.function.name");
  }
});

test("a tool's parameters pass through as they are, in their order", () => {
  const parameters = { type: "object", properties: { z: {}, a: { enum: [1, null] } }, $defs: {}, required: ["z"] };
  const request = parse({ tools: [{ type: "function", function: { name: "f", parameters, strict: true } }] });
  expect(JSON.stringify(request.tools?.[0])).toContain(JSON.stringify(parameters));
});

test("a JSON schema for the answer has a name of 1 to 64 characters", () => {
  const format = (name: string) => ({
    response_format: { type: "json_schema", json_schema: { name, schema: { type: "object" }, strict: null } },
  });
  expect(wrong(format("answer"))).toBeUndefined();
  for (const name of ["", "a".repeat(65)]) expect(wrong(format(name))).toBe("response_format.json_schema.name");
});

test("unknown members are dropped, at the top and inside messages", () => {
  const request = parse({ foo: 1, logit_bias: {}, messages: [{ ...user, bar: 2, reasoning_content: "hm" }] });
  expect(request).toEqual({ messages: [user] });
});

test("members named like parts of Object's prototype are harmless", () => {
  const request = chatCompletionRequestSchema.parse(
    JSON.parse(`{
      "__proto__": { "stream": true }, "constructor": 1, "toString": null,
      "messages": [{ "role": "user", "content": "hi", "__proto__": { "name": "root" } }],
      "metadata": { "__proto__": "x", "constructor": "c", "a": "b" },
      "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "__proto__": { "x": 1 }, "p": {} } } }]
    }`),
  );
  expect(request.stream).toBeUndefined();
  expect(request.messages[0]).toEqual(user);
  expect(Object.keys(request.metadata ?? {})).toEqual(["constructor", "a"]);
  for (const value of [request, request.messages[0], request.metadata, request.tools?.[0]]) {
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  }
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

test("messages and tools are counted", () => {
  expect(wrong({ messages: new Array(MAX_MESSAGES).fill(user) })).toBeUndefined();
  expect(wrong({ messages: new Array(MAX_MESSAGES + 1).fill(user) })).toBe("messages");
  expect(wrong({ tools: new Array(MAX_TOOLS).fill(tool("f")) })).toBeUndefined();
  expect(wrong({ tools: new Array(MAX_TOOLS + 1).fill(tool("f")) })).toBe("tools");
});

test.each<[string, (bad: number[]) => object]>([
  ["messages", (bad) => ({ messages: bad })],
  ["parts", (bad) => ({ messages: [{ role: "user", content: bad }] })],
  ["tool calls", (bad) => ({ messages: [{ role: "assistant", tool_calls: bad }] })],
  ["tools", (bad) => ({ tools: bad })],
  ["stop sequences", (bad) => ({ stop: bad })],
  ["modalities", (bad) => ({ modalities: bad })],
  ["pairs", (bad) => ({ metadata: Object.fromEntries(bad.map((_, index) => [index, 0])) })],
])("200,000 bad %s make one issue, not 200,000 and not a RangeError", (_, members) => {
  const body = { messages: [user], ...members(new Array(200_000).fill(0)) };
  const result = chatCompletionRequestSchema.safeParse(body);
  expect(result.error?.issues).toHaveLength(1);
});

test("no JSON makes it throw", () => {
  const anything = fc.jsonValue({ maxDepth: 4 });
  const names = Object.keys(chatCompletionRequestSchema.shape);
  const request = fc.oneof(anything, fc.dictionary(fc.constantFrom(...names), anything));
  fc.assert(fc.property(request, (body) => typeof chatCompletionRequestSchema.safeParse(body).success === "boolean"));
});

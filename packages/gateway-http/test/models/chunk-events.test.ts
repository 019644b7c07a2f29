import { expect, test } from "vitest";
import {
  createCallState,
  type ForeignChunk,
  hasNamelessCall,
  toClosingEvents,
  toEvents,
} from "../../src/models/chunk-events.ts";

/** The events of a stream of these deltas. */
function of(deltas: unknown[]) {
  const state = createCallState();
  return { state, events: deltas.flatMap((delta) => toEvents({ choices: [{ delta }] } as ForeignChunk, state)) };
}

/** The tool calls a stream of these `tool_calls` adds up to: id, name and arguments of each. */
function calls(...pieces: unknown[][]) {
  const list: [id: string, name: string, args: string][] = [];
  for (const event of of(pieces.map((tool_calls) => ({ tool_calls }))).events) {
    if (event.type === "tool-call-start") {
      expect(event.index).toBe(list.length);
      list.push([event.id, event.name, ""]);
    }
    if (event.type === "tool-call-delta") (list[event.index] as string[])[2] += event.arguments;
  }
  return list;
}

const piece = (index: number | undefined, id?: string, name?: string, args?: string) => ({
  ...(index !== undefined && { index }),
  ...(id !== undefined && { id, type: "function" }),
  function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
});

const A = ["a", "f", '{"x":1}'];
const B = ["b", "g", '{"y":2}'];

test("OpenAI's way: an index, the id and name once, then arguments", () => {
  expect(
    calls([piece(0, "a", "f", "")], [piece(0, undefined, undefined, '{"x"')], [piece(0, undefined, undefined, ":1}")]),
  ).toEqual([A]);
});

const WAYS: Record<string, unknown[][]> = {
  "each whole in its own chunk": [[piece(0, "a", "f", A[2])], [piece(1, "b", "g", B[2])]],
  "both whole in one chunk": [[piece(0, "a", "f", A[2]), piece(1, "b", "g", B[2])]],
  "no index, both in one chunk": [[piece(undefined, "a", "f", A[2]), piece(undefined, "b", "g", B[2])]],
  "no index, each in its own chunk": [[piece(undefined, "a", "f", A[2])], [piece(undefined, "b", "g", B[2])]],
  "index 0 for both": [[piece(0, "a", "f", A[2])], [piece(0, "b", "g", B[2])]],
  "index 0 for both, in one chunk": [[piece(0, "a", "f", A[2]), piece(0, "b", "g", B[2])]],
  "the id on every piece": [
    [piece(0, "a", "f", '{"x"')],
    [piece(0, "a", "", ":1}")],
    [piece(1, "b", "g", '{"y"')],
    [piece(1, "b", undefined, ":2}")],
  ],
  "id and name on every piece": [
    [piece(0, "a", "f", '{"x"')],
    [piece(0, "a", "f", ":1}")],
    [piece(0, "b", "g", '{"y"')],
    [piece(0, "b", "g", ":2}")],
  ],
  "by turns": [
    [piece(0, "a", "f"), piece(1, "b", "g")],
    [piece(1, undefined, undefined, '{"y"')],
    [piece(0, undefined, undefined, '{"x":1}')],
    [piece(1, undefined, undefined, ":2}")],
  ],
  "by turns under one index, told apart by id": [
    [piece(0, "a", "f", '{"x"')],
    [piece(0, "b", "g", '{"y"')],
    [piece(0, "a", "", ":1}")],
    [piece(0, "b", "", ":2}")],
  ],
  "an empty id on later pieces": [[piece(0, "a", "f", '{"x"')], [piece(0, "", "", ":1}")], [piece(1, "b", "g", B[2])]],
  "indexes that begin at 1": [[piece(1, "a", "f", A[2])], [piece(2, "b", "g", B[2])]],
  "indexes as strings": [
    [
      { ...piece(undefined, "a", "f", '{"x"'), index: "0" },
      { ...piece(undefined, "b", "g"), index: "1" },
    ],
    [{ ...piece(undefined, undefined, undefined, B[2]), index: "1" }],
    [{ ...piece(undefined, undefined, undefined, ":1}"), index: "0" }],
  ],
  "no index, by turns, told apart by id": [
    [piece(undefined, "a", "f"), piece(undefined, "b", "g")],
    [piece(undefined, "b", "", B[2])],
    [piece(undefined, "a", "", A[2])],
  ],
  "names later than ids": [
    [piece(0, "a"), piece(1, "b")],
    [piece(0, undefined, "f"), piece(1, undefined, "g")],
    [piece(0, undefined, undefined, A[2]), piece(1, undefined, undefined, B[2])],
  ],
  "the first one's name after its arguments and after the second": [
    [piece(0, "a", undefined, '{"x"')],
    [piece(1, "b", "g", '{"y"')],
    [piece(0, undefined, undefined, ":1}")],
    [piece(0, undefined, "f")],
    [piece(1, undefined, undefined, ":2}")],
  ],
  "the id with the name, after the arguments": [
    [piece(0, undefined, undefined, '{"x"')],
    [piece(0, "a", "f", ":1}")],
    [piece(1, "b", "g", B[2])],
  ],
  "the id before the name, after the arguments": [
    [piece(0, undefined, undefined, A[2]), piece(1, undefined, undefined, B[2])],
    [piece(0, "a"), piece(1, "b")],
    [piece(0, undefined, "f"), piece(1, undefined, "g")],
  ],
  "another id on every piece": [
    [piece(0, "a", "f", '{"x"')],
    [piece(0, "z", undefined, ":1}")],
    [piece(1, "b", "g", B[2])],
    [piece(1, "y", undefined, "")],
  ],
  "null where there is nothing": [
    [{ index: 0, id: "a", function: { name: "f", arguments: null } }],
    [{ index: 0, id: null, type: null, function: { name: null, arguments: A[2] } }],
    [{ index: null, id: "b", function: { name: "g", arguments: B[2] } }],
    [{ index: 0, function: null }],
  ],
  "what says nothing between them": [
    [{ index: 0, id: "", function: { name: "", arguments: "" } }],
    [piece(0, "a", "f", A[2])],
    [{ index: 1 }],
    [piece(2, "b", "g", B[2])],
    [{ index: 3, type: "function", function: {} }],
  ],
  "arguments as an object": [
    [{ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } }],
    [{ index: 1, id: "b", function: { name: "g", arguments: { y: 2 } } }],
  ],
};
for (const [way, pieces] of Object.entries(WAYS)) {
  test(`two calls, ${way}`, () => {
    expect(calls(...pieces)).toEqual([A, B]);
  });
}

test("calls without ids get ids of their own", () => {
  const [first, second] = calls([piece(0, undefined, "f", "{}"), piece(1, undefined, "f", "{}")]);
  expect(first?.[0]).toMatch(/^call_/);
  expect(first?.[0]).not.toBe(second?.[0]);
});

test("whole calls without ids under one index are told apart by name, or by being whole", () => {
  const args = ['{"x":1}', '{"x":2}', "{}"];
  const made = calls(...args.map((arg, at) => [piece(0, "", at === 2 ? "g" : "f", arg)]));
  expect(made.map(([, name, arg]) => [name, arg])).toEqual([
    ["f", '{"x":1}'],
    ["f", '{"x":2}'],
    ["g", "{}"],
  ]);
});

test("the name again on every piece, without an id, begins no other call", () => {
  expect(calls([piece(0, "a", "f", '{"x"')], [piece(0, undefined, "f", ":1}")], [piece(0, "", "f", "")])).toEqual([A]);
});

test("of two calls with the same id the second gets its own, and later pieces find theirs", () => {
  const [first, second, ...none] = calls(
    [piece(0, "a", "f", '{"x"'), piece(1, "a", "g", '{"y"')],
    [piece(1, "a", undefined, ":2}")],
    [piece(0, "a", undefined, ":1}")],
  );
  expect([first, none]).toEqual([A, []]);
  expect(second).toEqual([expect.stringMatching(/^call_[0-9a-f]{24}$/), "g", B[2]]);
});

test("of two calls with the same id and no index the second is known by its name", () => {
  const [first, second] = calls([piece(undefined, "a", "f", A[2])], [piece(undefined, "a", "g", B[2])]);
  expect(first).toEqual(A);
  expect(second).toEqual([expect.stringMatching(/^call_/), "g", B[2]]);
});

test("a call is not told of before its name, nor before the call that began before it", () => {
  const kinds = (deltas: unknown[]) =>
    of(deltas).events.map((event) => `${event.type} ${"index" in event && event.index}`);
  const late = [{ tool_calls: [piece(0, "a", undefined, "{")] }, { tool_calls: [piece(1, "b", "g", "{}")] }];
  expect(kinds(late)).toEqual([]);
  expect(kinds([...late, { tool_calls: [piece(0, undefined, "f", "}")] }])).toEqual([
    "tool-call-start 0",
    "tool-call-delta 0",
    "tool-call-start 1",
    "tool-call-delta 1",
  ]);
});

test("a call that never got a name is a fault, unless the answer was cut short", () => {
  const { state } = of([{ tool_calls: [piece(0, "a", "f", "{}")] }, { tool_calls: [piece(1, "b", "", "{}")] }]);
  expect(hasNamelessCall(state)).toBe(true);
  toEvents({ choices: [{ finish_reason: "length" }] }, state);
  expect(hasNamelessCall(state)).toBe(false);
  expect(hasNamelessCall(of([{ tool_calls: [piece(0, "a", "f", "{}")] }, { tool_calls: [{}] }]).state)).toBe(false);
});

test("what is no call is passed over", () => {
  expect(calls([null, 5, "x", {}], [piece(0, "a", "f", A[2])]).at(-1)).toEqual(A);
});

test("reasoning is heard under both names", () => {
  const expected = [{ type: "reasoning-delta", text: "hm" }];
  expect(of([{ reasoning_content: "hm" }]).events).toEqual(expected);
  expect(of([{ reasoning: "hm" }]).events).toEqual(expected);
  expect(of([{ reasoning_content: "hm", reasoning: "hm" }]).events).toEqual(expected);
  expect(of([{ reasoning_content: "", reasoning: "hm" }]).events).toEqual(expected);
  expect(of([{ reasoning_content: null, reasoning: "hm" }]).events).toEqual(expected);
});

test("reasoning comes before the text of the same chunk, a refusal is a text", () => {
  expect(of([{ content: "b", reasoning: "a" }]).events.map((event) => event.type)).toEqual([
    "reasoning-delta",
    "text-delta",
  ]);
  expect(of([{ refusal: "no" }]).events).toEqual([{ type: "text-delta", text: "no" }]);
});

for (const strange of [null, undefined, 5, "x", [], { content: 5 }, { content: ["x"] }, { tool_calls: {} }]) {
  test(`a delta ${JSON.stringify(strange)} says nothing and breaks nothing`, () => {
    expect(of([strange]).events).toEqual([]);
  });
}

for (const strange of [
  {},
  { choices: null },
  { choices: [] },
  { choices: [null] },
  { choices: [5] },
  { choices: {} },
]) {
  test(`a chunk ${JSON.stringify(strange)} says nothing and breaks nothing`, () => {
    expect(toEvents(strange as ForeignChunk, createCallState())).toEqual([]);
  });
}

/** How a call ends that gave these finish reasons. */
function ending(reasons: unknown[], deltas: unknown[] = []) {
  const { state } = of(deltas);
  for (const finish_reason of reasons) toEvents({ choices: [{ delta: {}, finish_reason }] }, state);
  return toClosingEvents(state).at(-1);
}

for (const [sent, means] of [
  ["stop", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  ["content_filter", "content_filter"],
  ["eos", "stop"],
  [5, "stop"],
]) {
  test(`finish_reason ${JSON.stringify(sent)} means ${means}`, () => {
    expect(ending([sent])).toEqual({ type: "end", finishReason: means });
  });
}

test("a finish reason stays when later chunks have none", () => {
  expect(ending(["length", null, undefined, ""])).toEqual({ type: "end", finishReason: "length" });
});

test("an answer that was cut short stays so when another reason follows", () => {
  for (const also of ["stop", "tool_calls"]) {
    expect(ending(["length", also])).toEqual({ type: "end", finishReason: "length" });
    expect(ending([also, "length"])).toEqual({ type: "end", finishReason: "length" });
  }
});

const CALL = { tool_calls: [piece(0, "a", "f", "{}")] };
for (const reasons of [
  [],
  ["stop"],
  ["tool_calls"],
  ["function_call"],
  ["tool_calls", "stop"],
  ["stop", "tool_calls"],
]) {
  test(`after a tool call, ${JSON.stringify(reasons)} means tool_calls; without one, stop`, () => {
    expect(ending(reasons, [CALL])).toEqual({ type: "end", finishReason: "tool_calls" });
    expect(ending(reasons, [])).toEqual({ type: "end", finishReason: "stop" });
  });
}

test("length after tool calls stays length", () => {
  expect(ending(["length"], [CALL])).toEqual({ type: "end", finishReason: "length" });
});

test("a finish reason or the usage before the last pieces of a call takes nothing from it", () => {
  const state = createCallState();
  const chunks: unknown[] = [
    { choices: [{ delta: { tool_calls: [piece(0, "a", "f", '{"x"')] } }] },
    { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
    { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
    { choices: [{ delta: { tool_calls: [piece(0, undefined, undefined, ":1}")] } }] },
    { choices: [{ delta: {}, finish_reason: "stop" }] },
  ];
  const events = chunks.flatMap((chunk) => toEvents(chunk as ForeignChunk, state));
  expect([...events, ...toClosingEvents(state)]).toEqual([
    { type: "tool-call-start", index: 0, id: "a", name: "f" },
    { type: "tool-call-delta", index: 0, arguments: '{"x"' },
    { type: "tool-call-delta", index: 0, arguments: ":1}" },
    { type: "usage", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    { type: "end", finishReason: "tool_calls" },
  ]);
});

/** The usage a call ends with when its chunks had these. */
function usageOf(...usages: unknown[]) {
  const state = createCallState();
  for (const usage of usages) toEvents({ choices: [], usage }, state);
  return toClosingEvents(state).find((event) => event.type === "usage")?.usage;
}

test("usage on every chunk is a running total: the last one counts", () => {
  expect(usageOf({ prompt_tokens: 1, completion_tokens: 1 }, { prompt_tokens: 1, completion_tokens: 5 }, null)).toEqual(
    {
      prompt_tokens: 1,
      completion_tokens: 5,
      total_tokens: 6,
    },
  );
});

test("details of usage are kept where they are numbers", () => {
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 99 };
  expect(
    usageOf({
      ...usage,
      prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 1 },
    }),
  ).toEqual({
    prompt_tokens: 5,
    completion_tokens: 2,
    total_tokens: 7,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 1 },
  });
  expect(
    usageOf({ ...usage, prompt_tokens_details: null, completion_tokens_details: { reasoning_tokens: null } }),
  ).toEqual({ prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 });
});

test("unknown usage stays unknown", () => {
  for (const usage of [undefined, null, {}, 5, { prompt_tokens: "3", completion_tokens: 4 }, { prompt_tokens: 3 }]) {
    expect(usageOf(usage)).toBeUndefined();
  }
});

test("content in parts is text and reasoning", () => {
  const parts = [
    { type: "thinking", thinking: [{ type: "text", text: "hm" }, null] },
    { type: "text", text: "hi" },
    null,
  ];
  const events = toEvents({ choices: [{ delta: { content: parts } }] }, createCallState());
  expect(events).toEqual([
    { type: "reasoning-delta", text: "hm" },
    { type: "text-delta", text: "hi" },
  ]);
});

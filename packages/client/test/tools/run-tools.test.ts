import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ChatCompletion } from "../../src/index.ts";
import { defineTool, type Schema, type Tool } from "../../src/tools/index.ts";
import { failureOf } from "../support/client.ts";
import { startScripted } from "../support/scripted-gateway.ts";

const messages = [{ role: "user" as const, content: "Weather?" }];
const call = (id: string, name: string, args: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const told = (tool_call_id: string, content: string) => ({ role: "tool", tool_call_id, content });

/** A schema of nobody's library. */
const anyObject: Schema<unknown, Record<string, unknown>> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "object" && value !== null
        ? { value: value as Record<string, unknown> }
        : { issues: [{ message: "no object" }] },
    jsonSchema: { input: () => ({ $schema: "http://json-schema.org/draft-07/schema#", type: "object" }) },
  },
};

test("tools are described, called with checked arguments, and their results told", async () => {
  const { client, turns } = await startScripted([
    {
      text: "Let me see.",
      calls: [
        ["celsius", '{"city":" Bern "}'],
        ["wind", '{"at":[46,7]}'],
        ["other", '{"x":1}'],
      ],
    },
    { text: "20 degrees." },
  ]);
  const run = client.chat.runTools({
    model: "openclaw:main",
    messages,
    tools: {
      celsius: {
        description: "Now",
        schema: z.object({ city: z.string().trim(), at: z.string().default("now") }),
        run: ({ city, at }) => `${city} ${at}: 20`,
      },
      wind: {
        schema: toStandardJsonSchema(v.object({ at: v.array(v.number()) })),
        strict: true,
        run: async ({ at }) => ({ knots: at.length }),
      },
      other: { schema: anyObject, parameters: { type: "object", title: "By hand" }, run: (args) => Object.keys(args) },
    },
  });
  expect(await run.text()).toBe("20 degrees.");
  expect(turns[0]?.params.tools).toMatchObject([
    { function: { name: "celsius", description: "Now", parameters: { type: "object", required: ["city"] } } },
    { function: { name: "wind", strict: true, parameters: { properties: { at: { type: "array" } } } } },
    { function: { name: "other", parameters: { type: "object", title: "By hand" } } },
  ]);
  expect(JSON.stringify(turns[0]?.params.tools)).not.toContain("$schema");
  expect(turns[1]?.messages).toMatchObject([
    messages[0],
    { role: "assistant", content: "Let me see.", tool_calls: [{ id: "c1" }, { id: "c2" }, { id: "c3" }] },
    told("c1", "Bern now: 20"),
    told("c2", '{"knots":2}'),
    told("c3", '["x"]'),
  ]);
});

test("parallel calls run side by side; results are in the order of the calls, events as they come", async () => {
  const { client, turns } = await startScripted([
    {
      calls: [
        ["first", "{}"],
        ["second", "{}"],
      ],
    },
    { text: "Done." },
  ]);
  const { promise, resolve } = Promise.withResolvers<string>();
  const done: string[] = [];
  const run = client.chat.runTools({
    messages,
    tools: {
      // Alone, the first would wait for ever.
      first: { schema: z.object({}), run: () => promise },
      second: {
        schema: z.object({}),
        run: () => {
          void Promise.resolve().then(() => resolve("let go"));
          return "mine";
        },
      },
    },
  });
  await run.on("tool-result", ({ name }) => done.push(name)).final();
  expect(turns[1]?.messages.slice(-2)).toEqual([told("c1", "let go"), told("c2", "mine")]);
  expect(done.sort()).toEqual(["first", "second"]);
});

const given = (run: Tool["run"]): { tool: Tool } => ({ tool: defineTool({ schema: z.object({}), run }) });

test("the loop has the chunks of all steps, listeners what happens in them, in its order", async () => {
  const { client } = await startScripted([
    { reasoning: "hm", text: "One.", calls: [["tool", "{}"]] },
    { text: "Two." },
  ]);
  const seen: unknown[] = [];
  const run = client.chat.runTools({
    messages,
    stream_options: { include_usage: true },
    tools: given(() => "result"),
  });
  run
    .on("reasoning", (delta) => seen.push(["reasoning", delta]))
    .on("content", (delta, text) => seen.push(["content", delta, text]))
    .on("tool-call", ({ id }) => seen.push(["tool-call", id]))
    .on("usage", ({ total_tokens }) => seen.push(["usage", total_tokens]))
    .on("step", ({ choices }) => seen.push(["step", choices[0]?.finish_reason]))
    .on("tool-result", ({ content }) => seen.push(["tool-result", content]))
    .on("end", ({ choices }) => seen.push(["end", choices[0]?.message.content]));
  let text = "";
  const ids = new Set<string>();
  for await (const { id, choices } of run) {
    ids.add(id);
    text += choices[0]?.delta.content ?? "";
  }
  expect(text).toBe("One.Two.");
  expect(ids.size).toBe(2);
  expect(seen).toEqual([
    ["reasoning", "hm"],
    ["content", "One.", "One."],
    ["tool-call", "c1"],
    ["usage", 3],
    ["step", "tool_calls"],
    ["tool-result", "result"],
    ["content", "Two.", "Two."],
    ["usage", 3],
    ["step", "stop"],
    ["end", "Two."],
  ]);
  expect(await run.text()).toBe("Two.");
});

test("who begins to listen in the midst of a step hears the rest of it", async () => {
  const { client } = await startScripted([{ text: "One.", calls: [["tool", "{}"]] }, { text: "Two." }]);
  const run = client.chat.runTools({ messages, tools: given(() => "") });
  const calls: string[] = [];
  let isListening = false;
  for await (const _ of run) {
    if (!isListening) run.on("tool-call", ({ id }) => calls.push(id));
    isListening = true;
  }
  expect(calls).toEqual(["c1"]);
});

test("text() and final() before, beside and after the loop, which there is one of", async () => {
  const start = async () => {
    const { client } = await startScripted([{ calls: [["tool", "{}"]] }, { text: "Answer." }]);
    return client.chat.runTools({ messages, tools: given(() => "") });
  };
  const beside = await start();
  const chunks = beside[Symbol.asyncIterator]();
  const text = beside.text();
  expect(() => beside[Symbol.asyncIterator]()).toThrow("has been read");
  while (!(await chunks.next()).done);
  expect([await text, (await beside.final()).choices[0]?.message.content]).toEqual(["Answer.", "Answer."]);
  const before = await start();
  expect(await Promise.all([before.text(), before.text()])).toEqual(["Answer.", "Answer."]);
  expect(() => before[Symbol.asyncIterator]()).toThrow("has been read");
});

test("messages are the talk, to go on with", async () => {
  const { client, turns } = await startScripted([
    { reasoning: "hm", calls: [["tool", "{}"]] },
    { text: "Twenty." },
    { text: "Thirty." },
  ]);
  const asked = [...messages];
  const run = client.chat.runTools({ messages: asked, tools: given(() => "20") });
  expect(run.messages).toEqual(messages);
  await run.final();
  expect(asked).toEqual(messages);
  expect(run.messages).toMatchObject([
    messages[0],
    { role: "assistant", tool_calls: [call("c1", "tool", "{}")], reasoning_content: "hm" },
    told("c1", "20"),
    { role: "assistant", content: "Twenty." },
  ]);
  const more = [...run.messages, { role: "user" as const, content: "And tomorrow?" }];
  expect((await client.chat.completions.create({ messages: more })).choices[0]?.message.content).toBe("Thirty.");
  expect(turns[2]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant", "user"]);
  // The thought is with its call, which some models insist on.
  expect(turns[2]?.messages[1]).toMatchObject({ reasoning_content: "hm" });
});

test.each(["length", "content_filter"] as const)("a call that was cut off (%s) is not made", async (finish) => {
  const { client, turns } = await startScripted([
    { text: "I will", calls: [["tool", '{"ci']], finish },
    { text: "Go on." },
  ]);
  const run = client.chat.runTools({ messages, tools: given(() => expect.fail("was called")) });
  const { choices } = await run.final();
  expect(choices[0]).toMatchObject({ finish_reason: finish, message: { tool_calls: [{ id: "c1" }] } });
  expect(run.messages.at(-1)).toMatchObject({ role: "assistant", content: "I will" });
  await client.chat.completions.create({ messages: [...run.messages, { role: "user", content: "Go on" }] });
  expect(turns).toHaveLength(2);
  expect(turns[1]?.messages[1]).toEqual({ role: "assistant", content: "I will" });
});

test("a cut call without words leaves no message", async () => {
  const { client } = await startScripted([{ calls: [["tool", "{"]], finish: "length" }]);
  const run = client.chat.runTools({ messages, tools: given(() => expect.fail("was called")) });
  expect(await run.text()).toBe("");
  expect(run.messages).toEqual(messages);
});

test("maxSteps is how often the agent is asked", async () => {
  const { client, turns } = await startScripted([{ text: "Again.", calls: [["tool", "{}"]] }]);
  let calls = 0;
  const run = client.chat.runTools({ messages, maxSteps: 2, tools: given(() => ++calls) });
  const failure = await failureOf(run.text());
  expect(failure).toMatchObject({ name: "OpenClawError", message: "The agent still calls tools after 2 steps." });
  const partial = failure.partial as ChatCompletion;
  expect(partial.choices[0]?.message.tool_calls).toHaveLength(1);
  expect([turns.length, calls]).toEqual([2, 1]);
  // A talk that can be sent again: the second call is not in it.
  expect(run.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(await failureOf(run.final())).toBe(failure);
});

test("by default that is ten times", async () => {
  const { client, turns } = await startScripted([{ calls: [["tool", "{}"]] }]);
  await failureOf(client.chat.runTools({ messages, tools: given(() => "") }).final());
  expect(turns).toHaveLength(10);
});

test.each([
  ["required", undefined],
  [{ type: "function" as const, function: { name: "tool" } }, undefined],
  ["none", "none"],
] as const)("tool_choice %j is for the first step", async (tool_choice, then) => {
  const { client, turns } = await startScripted([{ calls: [["tool", "{}"]], finish: "stop" }, { text: "Done." }]);
  const run = client.chat.runTools({ messages, tool_choice, tools: given(() => "") });
  expect(await run.text()).toBe("Done.");
  expect(turns.map(({ params }) => params.tool_choice)).toEqual([tool_choice, then]);
});

test.each<[string, object, RegExp]>([
  ["its name", { "get weather": given(() => "").tool }, /"get weather" must be named by/],
  ["no run", { tool: { schema: z.object({}) } }, /The tool tool has no function `run`/],
  ["no schema", { tool: { run: () => "" } }, /The tool tool needs a Standard Schema/],
  ["valibot's own", { tool: { schema: v.object({}), run: () => "" } }, /tool tool: .* Give that as `parameters`/],
  ["what JSON has not", { tool: { schema: z.object({ at: z.date() }), run: () => "" } }, /Date cannot be represented/],
  ["no object", { tool: { schema: z.string(), run: () => "" } }, /must take an object/],
])("a tool that cannot work is refused: %s", async (_, tools, message) => {
  const { client } = await startScripted([{}]);
  expect(() => client.chat.runTools({ messages, tools: tools as Record<string, Tool> })).toThrow(message);
});

test.each([0, Number.NaN])("maxSteps cannot be %d", async (maxSteps) => {
  const { client } = await startScripted([{}]);
  expect(() => client.chat.runTools({ messages, maxSteps, tools: {} })).toThrow("maxSteps");
});

import { expect, test } from "vitest";
import { z } from "zod";
import { defineTool, type Tool, type ToolResult } from "../../src/tools/index.ts";
import { startScripted } from "../support/scripted-gateway.ts";

const messages = [{ role: "user" as const, content: "Weather?" }];
const told = (tool_call_id: string, content: string) => ({ role: "tool", tool_call_id, content });
const given = (run: Tool["run"]): { tool: Tool } => ({ tool: defineTool({ schema: z.object({}), run }) });
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const HUGE = "x".repeat(1024 * 1024);

test.each<[string, Record<string, Tool>, string, RegExp | string, boolean]>([
  ["unknown", given(() => "no"), "toString", /^There is no tool "toString", but these: tool\.$/, true],
  ["not JSON", given(() => "no"), "tool {", "The arguments of tool are not JSON.", true],
  [
    "wrong",
    { tool: { schema: z.object({ a: z.object({ b: z.number() }) }), run: () => "no" } },
    'tool {"a":{"b":"c"}}',
    /^The arguments of tool are wrong: a\.b: \S+/,
    true,
  ],
  [
    "wrong in many ways",
    { tool: { schema: z.record(z.string(), z.number()), parameters: { type: "object" }, run: () => "no" } },
    `tool ${JSON.stringify({ a: "", b: "", c: "", d: "", e: "", f: "", g: "" })}`,
    /^The arguments of tool are wrong: a: .*; e: [^;]*; and 2 more$/,
    true,
  ],
  [
    "checked later",
    { tool: { schema: z.object({}).refine(async () => false, "Not today."), run: () => "no" } },
    "tool",
    "The arguments of tool are wrong: Not today.",
    true,
  ],
  ["no arguments", given(() => "none"), "tool", "none", false],
  ["white space", given(() => "none"), "tool  ", "none", false],
  ["nothing", given(() => undefined), "tool", "", false],
  ["null", given(() => null), "tool", "null", false],
  ["a number", given(() => 0), "tool", "0", false],
  ["huge", given(() => HUGE), "tool", HUGE, false],
  ["half a pair", given(() => "🦞".slice(0, 1)), "tool", "\ufffd", false],
  ["BigInt", given(() => ({ n: 1n })), "tool", /^The tool ran, but JSON cannot hold what it returned: .*BigInt/, true],
  ["cyclic", given(() => cyclic), "tool", /^The tool ran, but JSON cannot hold what it returned: [^\n]+$/, true],
  ["a function", given(() => () => 1), "tool", /^The tool ran, but .*: It is a function\.$/, true],
  ["throws", given(() => Promise.reject(new Error("Too far."))), "tool", "Error: Too far.", true],
  [
    "throws text",
    given(() => {
      throw "text";
    }),
    "tool",
    "Error: text",
    true,
  ],
  [
    "throws what has no text",
    given(() => {
      throw Object.create(null);
    }),
    "tool",
    "Error: The tool failed.",
    true,
  ],
])("the model is told: %s", async (_, tools, what, content, isError) => {
  const [name = "", args = ""] = what.split(/ (.*)/s);
  const { client, turns } = await startScripted([{ calls: [[name, args]] }, { text: "I see." }]);
  const results: ToolResult[] = [];
  const run = client.chat.runTools({ messages, tools }).on("tool-result", (result) => results.push(result));
  expect(await run.text()).toBe("I see.");
  const matches = typeof content === "string" ? content : expect.stringMatching(content);
  expect(turns[1]?.messages.at(-1)).toEqual(told("c1", matches as string));
  expect(results).toMatchObject([{ id: "c1", name, content: matches, isError }]);
});

test("what a tool threw is at hand", async () => {
  const { client } = await startScripted([{ calls: [["tool", "{}"]] }, { text: "" }]);
  const thrown = new RangeError("far");
  const seen: unknown[] = [];
  const run = client.chat.runTools({ messages, tools: given(() => Promise.reject(thrown)) });
  await run.on("tool-result", ({ error }) => seen.push(error)).final();
  expect(seen).toEqual([thrown]);
});

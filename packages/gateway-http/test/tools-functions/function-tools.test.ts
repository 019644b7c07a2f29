import type { StandardSchemaV1 } from "@standard-schema/spec";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";
import { createFunctionTools, type ToolDefinition } from "../../src/tools/function-tools.ts";
import type { ToolContext } from "../../src/tools/tool.ts";

const context: ToolContext = {
  signal: new AbortController().signal,
  runId: "run_1",
  agentId: "main",
  sessionKey: "agent:main:x",
};

function toolOf<Schema extends StandardSchemaV1>(definition: ToolDefinition<Schema>) {
  const [tool] = createFunctionTools("main", { tool: definition as ToolDefinition }).list();
  if (!tool) throw new Error("no tool");
  return tool;
}

/** What the model reads when a tool returns this. */
const said = (value: unknown) => toolOf({ schema: z.object({}), run: () => value }).run({}, context);

const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

/** A Standard Schema that nobody's library made. */
const handWritten: StandardSchemaV1<{ city: string }, { town: string }> = {
  "~standard": {
    version: 1,
    vendor: "hand",
    async validate(value) {
      const { city } = value as { city?: unknown };
      return typeof city === "string" ? { value: { town: city } } : { issues: [{ message: "no city" }] };
    },
  },
};

test("zod, valibot and a hand-written schema tell the model the same", () => {
  const run = () => "";
  expect(toolOf({ schema: z.object({ city: z.string() }), run }).parameters).toEqual(city);
  expect(toolOf({ schema: toStandardJsonSchema(v.object({ city: v.string() })), run }).parameters).toEqual(city);
  expect(toolOf({ schema: handWritten, parameters: city, run }).parameters).toEqual(city);
});

test("a tool is told what its schema makes of the arguments, and where it runs", async () => {
  const seen: unknown[] = [];
  const run = (...args: unknown[]) => void seen.push(args);
  await toolOf({ schema: z.object({ days: z.string().transform(Number) }), run }).run({ days: "3" }, context);
  await toolOf({ schema: handWritten, parameters: city, run }).run({ city: "Bern" }, context);
  expect(seen).toEqual([
    [{ days: 3 }, context],
    [{ town: "Bern" }, context],
  ]);
});

test("run is called on its definition", async () => {
  const definition = { schema: z.object({}), word: "hi", run: (): unknown => "" };
  definition.run = function (this: typeof definition) {
    return this.word;
  };
  expect(await toolOf(definition).run({}, context)).toEqual({ ok: true, text: "hi" });
});

test("the model reads a text as it is, nothing as an empty one, and the rest as JSON", async () => {
  expect(await said("12 °C")).toEqual({ ok: true, text: "12 °C" });
  expect(await said(undefined)).toEqual({ ok: true, text: "" });
  expect(await said(Promise.resolve({ celsius: 12 }))).toEqual({ ok: true, text: '{"celsius":12}' });
  expect(await said(null)).toEqual({ ok: true, text: "null" });
  expect(await said([1, false])).toEqual({ ok: true, text: "[1,false]" });
});

test("what JSON cannot hold is a failure that says so", async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [10n, { a: 10n }, cycle, () => "", Symbol("x")]) {
    const { ok, text } = await said(value);
    expect(ok).toBe(false);
    expect(text).toMatch(/^The tool ran, but JSON cannot hold what it returned: .+$/);
  }
});

test("arguments that do not fit are a failure with their places, and the function does not run", async () => {
  const run = () => {
    throw new Error("ran");
  };
  const schema = z.object({ city: z.string(), days: z.array(z.object({ hour: z.number() })) });
  expect(await toolOf({ schema, run }).run({ days: [{}] }, context)).toEqual({
    ok: false,
    text: "Invalid arguments: city: Invalid input: expected string, received undefined; days.0.hour: Invalid input: expected number, received undefined",
  });
  const ofValibot = toStandardJsonSchema(v.object({ at: v.object({ city: v.string() }) }));
  expect(await toolOf({ schema: ofValibot, run }).run({ at: { city: 1 } }, context)).toEqual({
    ok: false,
    text: "Invalid arguments: at.city: Invalid type: Expected string but received 1",
  });
  expect(await toolOf({ schema: handWritten, parameters: city, run }).run({}, context)).toEqual({
    ok: false,
    text: "Invalid arguments: no city",
  });
});

test("of many problems a handful is told", async () => {
  const schema = z.object(Object.fromEntries(Array.from("abcdefg", (key) => [key, z.string()])));
  const { text } = await toolOf({ schema, run: () => "" }).run({}, context);
  expect(text.match(/expected string/g)).toHaveLength(5);
  expect(text).toMatch(/; and 2 more$/);
});

test("what a function throws is thrown", async () => {
  const broken = toolOf({ schema: z.object({}), run: () => Promise.reject(new Error("no route to Bern")) });
  await expect(broken.run({}, context)).rejects.toThrow("no route to Bern");
  const loud = toolOf({
    schema: z.object({}),
    run() {
      throw new Error("at once");
    },
  });
  await expect(loud.run({}, context)).rejects.toThrow("at once");
});

test("a run that was aborted while its arguments were checked does not begin", async () => {
  const controller = new AbortController();
  const ran: unknown[] = [];
  const tool = toolOf({ schema: z.object({}), run: () => ran.push(1) });
  const running = tool.run({}, { ...context, signal: controller.signal });
  controller.abort(new Error("gone"));
  await expect(running).rejects.toThrow("gone");
  expect(ran).toEqual([]);
});

test("tools are there at once, in the order of their names", async () => {
  const definition: ToolDefinition = { description: "Does it", schema: z.object({}), run: () => "" };
  const source = createFunctionTools("main", { b: definition, a: definition, B: definition });
  await source.ready();
  expect(source.list().map(({ name }) => name)).toEqual(["B", "a", "b"]);
  expect(source.list()[0]?.description).toBe("Does it");
});

test("the schema that the model sees is a copy: what happens to the original is nobody's business", () => {
  const parameters = { type: "object", properties: {} as Record<string, unknown>, title: undefined };
  const tool = toolOf({ schema: z.object({}), parameters, run: () => "" });
  parameters.properties.late = { type: "string" };
  expect(tool.parameters).toStrictEqual({ type: "object", properties: {} });
});

/** What is said of a tool that cannot be one. */
function refusal(name: string, definition: unknown): string {
  try {
    createFunctionTools("main", { [name]: definition as ToolDefinition });
  } catch (error) {
    expect(error).toMatchObject({ name: "ConfigError" });
    return (error as Error).message;
  }
  return "taken";
}

for (const name of ["", "a b", "ä", "a.b", "x".repeat(65)]) {
  test(`${JSON.stringify(name.slice(0, 10))} is no name of a tool`, () => {
    expect(refusal(name, { schema: z.object({}), run: () => "" })).toBe(
      `agent main, tool ${JSON.stringify(name)}: a tool's name must be 1 to 64 of a-z, A-Z, 0-9, _ and -`,
    );
  });
}

const cyclic: Record<string, unknown> = { type: "object" };
cyclic.properties = { self: cyclic };
const run = () => "";

for (const [what, definition, said] of [
  [
    "a schema that cannot tell its own",
    { schema: handWritten, run },
    /cannot tell its JSON Schema\. Add one as `parameters`/,
  ],
  [
    "a schema without a JSON Schema",
    { schema: z.object({ at: z.date() }), run },
    /no JSON Schema \(Date .*\)\. Add one/,
  ],
  ["a schema of a text", { schema: z.string(), run }, /the JSON Schema of `schema` must have `type: "object"`/],
  [
    "parameters of an array",
    { schema: z.any(), parameters: { type: "array" }, run },
    /`parameters` must have `type: "obj/,
  ],
  ["parameters that are an array", { schema: z.any(), parameters: [], run }, /`parameters` must have `type: "object"`/],
  [
    "parameters with a function",
    { schema: z.any(), parameters: { type: "object", a: { run } }, run },
    /and a\.run is not/,
  ],
  ["parameters with a date", { schema: z.any(), parameters: { type: "object", a: new Date() }, run }, /and a is not/],
  ["parameters with NaN", { schema: z.any(), parameters: { type: "object", a: [Number.NaN] }, run }, /and a\.0 is not/],
  ["parameters in circles", { schema: z.any(), parameters: cyclic, run }, /`parameters` goes round in circles/],
  ["no schema", { run }, /needs a Standard Schema as `schema` and a function as `run`/],
  ["a JSON Schema as schema", { schema: { type: "object" }, run }, /needs a Standard Schema/],
  ["no function", { schema: z.object({}) }, /a function as `run`/],
  ["nothing", undefined, /needs a Standard Schema/],
] as const) {
  test(`a tool with ${what} is refused by its name`, () => {
    const message = refusal("getWeather", definition);
    expect(message).toMatch(/^agent main, tool "getWeather": /);
    expect(message).toMatch(said);
  });
}

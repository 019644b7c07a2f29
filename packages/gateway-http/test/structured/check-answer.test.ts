import { expect, test } from "vitest";
import { checkAnswer } from "../../src/models/structured/check-answer.ts";
import { toStructure } from "../../src/models/structured/structure.ts";

const check = (text: string, schema?: object) =>
  checkAnswer(
    text,
    toStructure({ type: "json_schema", json_schema: { name: "x", ...(schema && { schema }) } }) as never,
  );
const problemsOf = async (text: string, schema?: object) => {
  const checked = await check(text, schema);
  return "problems" in checked ? checked.problems : checked.json;
};
const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
  required: ["name", "age"],
  additionalProperties: false,
};

test.each([
  ['{"name":"Ann","age":3}', '{"name":"Ann","age":3}'],
  ['\n ```json\n{"name":"Ann","age":3}\n```\n', '{"name":"Ann","age":3}'],
  ['```\n{"name":"Ann","age":3}```', '{"name":"Ann","age":3}'],
])("%j is valid", async (text, json) => {
  expect(await check(text, person)).toEqual({ json });
});

test("what is wrong is said, each thing once, where it is", async () => {
  expect(await problemsOf('{"age":"3","more":1}', person)).toEqual([
    '#: Instance does not have required property "name".',
    '#/age: Instance type "string" is invalid. Expected "integer".',
    '#: Property "more" does not match additional properties schema.',
  ]);
  expect(await problemsOf("Here you are: {}", person)).toEqual([expect.stringMatching(/^It is not JSON: /)]);
  expect(await problemsOf("", person)).toEqual(["It is empty."]);
  const many = await problemsOf(JSON.stringify(Array(100).fill("x".repeat(999))), {
    items: { enum: ["y".repeat(999)] },
  });
  expect(many).toHaveLength(10);
  expect((many as string[]).every((problem) => problem.length <= 300)).toBe(true);
});

test("any JSON object, when no schema says more", async () => {
  const object = toStructure({ type: "json_object" }) as never;
  expect(await checkAnswer('{"a":1}', object)).toEqual({ json: '{"a":1}' });
  for (const text of ["[1]", "null", "3"]) {
    expect(await checkAnswer(text, object)).toMatchObject({ problems: ["It is JSON, but not an object."] });
  }
  expect(await check("[1]")).toEqual({ json: "[1]" });
});

test.each([
  ["a pattern", "^(a+)+$", {}],
  ["a name's pattern", "", { patternProperties: { "^(a+)+$": {} } }],
])("%s that would take for ever is stopped, and the next check works", async (_, pattern, more) => {
  const evil = `${"a".repeat(60)}!`;
  const text = pattern ? JSON.stringify(evil) : JSON.stringify({ [evil]: 1 });
  const before = performance.now();
  expect(await problemsOf(text, { ...(pattern && { pattern }), ...more })).toEqual([
    expect.stringContaining("takes too long to be checked"),
  ]);
  // It would be hours.
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(await check('"aa"', { pattern: "^(a+)+$" })).toEqual({ json: '"aa"' });
});

test("a schema that goes round in circles, on data of any depth, ends", async () => {
  expect(await problemsOf("1", { $ref: "#" })).toEqual(["It is nested too deeply to be checked."]);
  const list = { items: { $ref: "#" } };
  expect(await check("[[[]]]", list)).toEqual({ json: "[[[]]]" });
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  expect(await problemsOf(deep, list)).toEqual([expect.stringMatching(/nested too deeply|takes too long/)]);
});

test("a schema that cannot be used is no reason to ask the model again", async () => {
  const checked = await check("1", { $defs: { a: { $id: "https://a.example" }, b: { $id: "https://a.example" } } });
  expect(checked).toMatchObject({
    mayRepair: false,
    problems: [expect.stringMatching(/^The schema cannot be used: /)],
  });
});

test("names of Object.prototype are names like others", async () => {
  const schema = { type: "object", properties: { constructor: { type: "string" } }, additionalProperties: false };
  expect(await check('{"constructor":"x"}', schema)).toHaveProperty("json");
  expect(await problemsOf('{"__proto__":1}', schema)).toHaveLength(1);
  expect(await problemsOf("{}", { required: ["toString"] })).toHaveLength(1);
});

test("a long answer has longer to be checked", async () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ name: `row ${index}`, count: index }));
  const row = {
    type: "object",
    properties: { name: { type: "string" }, count: { type: "integer" } },
    required: ["name"],
  };
  const text = JSON.stringify(rows);
  expect(text.length).toBeGreaterThan(600_000);
  expect(await check(text, { type: "array", items: row })).toEqual({ json: text });
});

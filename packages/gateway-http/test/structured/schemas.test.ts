import { expect, test } from "vitest";
import { ask, hi } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const PARAM = "response_format.json_schema.schema";
const asking = (schema: unknown) =>
  hi({ response_format: { type: "json_schema", json_schema: { name: "x", schema } } });
const nested = (depth: number): object => (depth === 1 ? {} : { not: nested(depth - 1) });
const padded = (bytes: number) => {
  const empty = JSON.stringify({ description: "" }).length;
  return { description: "x".repeat(bytes - empty) };
};

test.each([
  ["64 KiB and a byte", padded(64 * 1024 + 1), "must be at most 65536 bytes of JSON"],
  ["33 levels", nested(33), "must not be nested deeper than 32 levels"],
  ["a remote $ref", { $ref: "https://example.com/s.json" }, '$ref "https://example.com/s.json" is not of this schema'],
  ["a relative $ref", { items: { $ref: "other.json#/a" } }, '$ref "other.json#/a" is not of this schema'],
  ["a $ref to nowhere", { anyOf: [{ $ref: "#/$defs/no" }] }, '$ref "#/$defs/no" leads nowhere'],
  ["a $ref to what is no schema", { type: "object", $ref: "#/type" }, '$ref "#/type" leads nowhere'],
  ["an unknown anchor", { $ref: "#no" }, '$ref "#no" leads nowhere'],
  ["a dynamic reference", { $dynamicRef: "#no" }, "$dynamicRef is not supported"],
  ["an id within", { properties: { a: { $id: "https://a.example/b" } } }, "$id is supported at its top only"],
  ["a broken pattern", { properties: { a: { pattern: "(" } } }, '"(" is not a regular expression'],
  ["a broken name pattern", { patternProperties: { "[": {} } }, '"[" is not a regular expression'],
])("a schema with %s is refused, whoever the agent", async (_, schema, message) => {
  const door = await startGateway();
  const { status, json } = await ask(door, asking(schema));
  expect([status, json.error.code, json.error.param]).toEqual([400, "invalid_value", PARAM]);
  expect(json.error.message).toContain(`${PARAM}: ${message}`);
});

test("a schema at its bounds, and what only looks like a keyword, is served", async () => {
  const door = await startGateway();
  const schemas = [
    padded(64 * 1024),
    nested(32),
    { $ref: "#" },
    { $defs: { "a/b c": { $anchor: "here" } }, anyOf: [{ $ref: "#/$defs/a~1b%20c" }, { $ref: "#here" }] },
    { properties: { pattern: { type: "string" }, $ref: { type: "string" }, enum: { pattern: "^a$" } } },
    { enum: [{ $ref: "https://example.com", pattern: "(" }], default: { pattern: "(" } },
    null,
  ];
  for (const schema of schemas) expect((await ask(door, asking(schema))).status).toBe(200);
});

import { expect, test } from "vitest";
import { createRedactor } from "../../src/errors/redact.ts";
import { redactLine } from "../../src/observe/redact-line.ts";

const clean = (line: object, ...secrets: string[]) => {
  const text = redactLine(`${JSON.stringify(line)}\n`, createRedactor(secrets));
  expect(text.endsWith("}\n")).toBe(true);
  return JSON.parse(text);
};

test("a secret is taken out of every member, however deep, and of names", () => {
  expect(clean({ a: "x hunter2 y", b: { hunter2: ["hunter2"] } }, "hunter2")).toEqual({
    a: "x *** y",
    b: { "***": ["***"] },
  });
});

test("a line stays JSON where a secret is a number, or looks like JSON", () => {
  expect(clean({ ms: 1234, text: "1234" }, "1234")).toEqual({ ms: "***", text: "***" });
  expect(clean({ a: "b", c: 'x","c' }, '","c')).toEqual({ a: "b", c: "x***" });
  expect(clean({ ms: 1234, ok: true, none: null, text: "a" }, "1234", "true")).toEqual({
    ms: "***",
    ok: true,
    none: null,
    text: "a",
  });
});

test("a line without a secret is left as it is", () => {
  const line = '{"a":1,  "b":"x"}\n';
  expect(redactLine(line, createRedactor(["secret"]))).toBe(line);
});

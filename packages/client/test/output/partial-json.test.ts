import fc from "fast-check";
import { expect, test } from "vitest";
import { createPartialJson } from "../../src/output/partial-json.ts";

/** Every value that can be read while the text comes in these pieces, the last one at its end. */
function readAll(pieces: Iterable<string>): unknown[] {
  const json = createPartialJson();
  const seen: unknown[] = [];
  for (const piece of pieces) {
    json.add(piece);
    seen.push(json.read());
  }
  json.end();
  return [...seen, json.read()];
}

/** Text may be shorter, lists and objects may have less; everything else is the same. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part);
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.length <= whole.length && part.every((item, at) => isPartOf(item, whole[at]));
  }
  if (typeof part !== "object" || part === null) return Object.is(part, whole);
  return (
    typeof whole === "object" &&
    whole !== null &&
    !Array.isArray(whole) &&
    Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && isPartOf(value, Object(whole)[name]))
  );
}

const anyJson = fc.jsonValue({ stringUnit: "binary" });
const anySpace = fc.constantFrom(undefined, 1, "\t", "\n  ");
const anyLengths = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 20 });

function* cut(text: string, lengths: readonly number[]): Generator<string> {
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const length = lengths[turn % lengths.length] as number;
    yield text.slice(at, at + length);
    at += length;
  }
}

/** Other ways to write the same, as models have them. */
const escapeAll = (text: string) =>
  text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

test("every part is in what comes later, in any pieces, and the last is the whole", () => {
  fc.assert(
    fc.property(anyJson, anySpace, anyLengths, fc.boolean(), (value, space, lengths, isEscaped) => {
      const text = JSON.stringify(value, undefined, space);
      const seen = readAll(cut(isEscaped ? escapeAll(text) : text, lengths));
      const whole = JSON.parse(text);
      expect(seen.at(-1)).toEqual(whole);
      const parts = seen.filter((part) => part !== undefined);
      for (const [at, part] of parts.entries()) {
        expect(isPartOf(part, parts[at + 1] ?? whole), `${JSON.stringify(part)} of ${text}`).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("the order in which it grows", () => {
  const text = '{"a": "hi\\n", "n": -1.5e3, "list": [true, null, {}], "empty": ""}';
  const seen = new Set(readAll(text).map((part) => JSON.stringify(part)));
  expect([...seen]).toEqual([
    "{}",
    '{"a":""}',
    '{"a":"h"}',
    '{"a":"hi"}',
    '{"a":"hi\\n"}',
    '{"a":"hi\\n","n":-1500}',
    '{"a":"hi\\n","n":-1500,"list":[]}',
    '{"a":"hi\\n","n":-1500,"list":[true]}',
    '{"a":"hi\\n","n":-1500,"list":[true,null]}',
    '{"a":"hi\\n","n":-1500,"list":[true,null,{}]}',
    '{"a":"hi\\n","n":-1500,"list":[true,null,{}],"empty":""}',
  ]);
});

test.each(['"🦞"', '"\\ud83e\\udd9e"', '"\\uD83E\\uDD9E"'])("a character comes whole: %s", (text) => {
  expect(new Set(readAll(text.split("")))).toEqual(new Set(["", "🦞"]));
});

test("half a pair that stays alone is shown with what follows", () => {
  expect(new Set(readAll('"\\ud83e!"'.split("")))).toEqual(new Set(["", "\ud83e!"]));
  expect(readAll('"\\ud83e"').at(-1)).toBe("\ud83e");
});

test.each(["12", "-0.5", "true", "null", " [] ", '"x"'])("%s alone", (text) => {
  expect(readAll(text).at(-1)).toEqual(JSON.parse(text));
});

test("a number that may have more digits is not shown", () => {
  const json = createPartialJson();
  json.add('{"a":12');
  expect(json.read()).toEqual({});
  json.add("3");
  expect(json.read()).toEqual({});
  json.add(" ");
  expect(json.read()).toEqual({ a: 123 });
});

test.each(["Sure, here you are: ", "```json\n", "}", "x", '{"a" "b"', "{'a': 1"])("%j is never read", (start) => {
  for (const part of readAll(`${start}{"a":1}`)) expect([undefined, {}, []]).toContainEqual(part);
});

test("it says when there is nothing new", () => {
  const json = createPartialJson();
  expect(json.add('{"a":1,')).toBe(6);
  expect(json.add(' "long name": 12')).toBe(6);
  expect(json.add(",")).toBe(23);
});

test("what is nested deep, and comes in small pieces, does not take the square of its length", () => {
  const deep = createPartialJson();
  deep.add("[".repeat(100_000));
  for (let turn = 0; turn < 100_000; turn++) deep.add(turn % 2 ? "]," : "[");
  expect(Array.isArray(deep.read())).toBe(true);
});

test("a mebibyte in single characters is looked at once, not copied each time", () => {
  const text = JSON.stringify({ text: "ab\\n".repeat(256 * 1024) });
  const json = createPartialJson();
  for (const char of text) json.add(char);
  expect(json.read()).toEqual(JSON.parse(text));
});

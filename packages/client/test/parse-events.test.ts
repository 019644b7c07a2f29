import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventParser } from "../src/sse/parse-events.ts";

interface Parsed {
  events: { data: string; id: string | undefined }[];
  retries: number[];
}

function parse(pieces: readonly string[]): Parsed {
  const parsed: Parsed = { events: [], retries: [] };
  const parser = createEventParser({
    onEvent: (data, id) => parsed.events.push({ data, id }),
    onRetry: (milliseconds) => parsed.retries.push(milliseconds),
  });
  for (const piece of pieces) parser.feed(piece);
  return parsed;
}

/** What the parser that everybody uses makes of it. */
function referee(text: string): Parsed {
  const parsed: Parsed = { events: [], retries: [] };
  const parser = createParser({
    onEvent: ({ data, id }) => parsed.events.push({ data, id }),
    onRetry: (milliseconds) => parsed.retries.push(milliseconds),
  });
  parser.feed(text);
  return parsed;
}

const lineEnd = fc.constantFrom("\n", "\r", "\r\n");
const value = fc.oneof(
  fc.string(),
  fc.constantFrom("", " ", "  x", "a:b", "[DONE]", "12", "007", "1.5", "-1", "1e3", "٣", "7\u0000", "🦞", "\ufeff"),
);
const line = fc.oneof(
  value.map((text) => `data:${text}`),
  value.map((text) => `data: ${text}`),
  value.map((text) => `id: ${text}`),
  value.map((text) => `retry: ${text}`),
  value.map((text) => `event: ${text}`),
  value.map((text) => `: ${text}`),
  fc.constantFrom("", "", "", "data", "id", "retry", "unknown: field", "datax: y", " data: y", "Data: y", "data : y"),
  fc.string(),
);
/** Its last line may lack its end. */
const stream = fc
  .tuple(fc.array(fc.tuple(line, lineEnd), { maxLength: 30 }), fc.oneof(fc.constant(""), line))
  .map(([lines, last]) =>
    [...lines, [last, ""]].map(([text, end]) => `${text?.replace(/[\r\n]/g, "")}${end}`).join(""),
  );
const cuts = fc.array(fc.nat(200), { maxLength: 8 });

function split<T extends string | Uint8Array>(whole: T, cuts: readonly number[]): T[] {
  const places = [0, ...cuts.filter((at) => at < whole.length).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.slice(places[index], end) as T);
}

test("any stream is read as eventsource-parser reads it, wherever it is split", () => {
  fc.assert(
    fc.property(stream, cuts, (text, cuts) => {
      const expected = referee(text);
      expect(parse(split(text, cuts))).toEqual(expected);
      expect(parse([...text])).toEqual(expected);
      expect(parse(text.split(""))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("bytes split anywhere, with and without a byte order mark, are read as eventsource-parser reads their text", () => {
  fc.assert(
    fc.property(stream, cuts, fc.boolean(), (text, cuts, hasMark) => {
      const bytes = new TextEncoder().encode(hasMark ? `\ufeff${text}` : text);
      const decoder = new TextDecoder();
      const pieces = split(bytes, cuts).map((piece) => decoder.decode(piece, { stream: true }));
      expect(parse(pieces)).toEqual(referee(hasMark ? `\ufeff${text}` : text));
    }),
    { numRuns: 500 },
  );
});

test.each<[string, string, Parsed["events"]]>([
  [
    "three ends of lines, each split",
    "data: a\r|\n\r|\ndata: b\r|\rdata: c\n|\n",
    [event("a"), event("b"), event("c")],
  ],
  ["an empty piece between CR and LF", "data: a\r||\n|data: b\n\n", [event("a\nb")]],
  ["several lines of data", "data: a\ndata\ndata:\ndata:  b\n\n", [event("a\n\n\n b")]],
  ["data that is empty", "data\n\ndata:\n\n\n\n", [event(""), event("")]],
  [
    "ids: the last one, none with NUL, not the one before",
    "id: 1\nid: 2\nid: 3\0\ndata: a\n\ndata: b\n\n",
    [event("a", "2"), event("b")],
  ],
  ["an id without data", "id: 1\n\ndata: a\n\n", [event("a")]],
  ["comments, names and what nobody knows", ": x\nevent: e\n:\nfoo: bar\nfoo\ndata: a\n\n", [event("a")]],
  ["an event that has not ended", "data: a\n\ndata: b\n", [event("a")]],
])("%s", (_, text, events) => {
  expect(parse(text.split("|")).events).toEqual(events);
});

function event(data: string, id?: string) {
  return { data, id };
}

test("only digits are a time to wait", () => {
  const all = ["5", "007", "1.5", "-1", "+1", "1e3", "", "x", "1 2", "٣"];
  expect(parse(all.map((retry) => `retry: ${retry}\n`)).retries).toEqual([5, 7]);
});

test("how much is there of what has not ended is known", () => {
  const parser = createEventParser({ onEvent: () => {}, onRetry: () => {} });
  expect(parser.feed("data: abc")).toBe(9);
  expect(parser.feed("d")).toBe(10);
  expect(parser.feed("\ndata: efg")).toBe(4 + 9);
  expect(parser.feed("\n: a long comment that is not kept\n")).toBe(8);
  expect(parser.feed("\n")).toBe(0);
});

/** How many characters the methods of strings that look at each of them were given during the task. */
function countScanned(task: () => void): number {
  let scanned = 0;
  const { indexOf, includes, replace } = String.prototype;
  // Not by spies, which remember every call.
  Object.assign(String.prototype, {
    indexOf(this: string, text: string, from = 0) {
      const at = indexOf.call(this, text, from);
      scanned += (at < 0 ? this.length : at + 1) - from;
      return at;
    },
    includes(this: string, text: string) {
      scanned += this.length;
      return includes.call(this, text);
    },
    replace(this: string, ...args: [never, never]) {
      scanned += this.length;
      return replace.apply(this, args);
    },
  });
  try {
    task();
  } finally {
    Object.assign(String.prototype, { indexOf, includes, replace });
  }
  return scanned;
}

const MIB = 1024 * 1024;

test.each<[string, number, string, number]>([
  ["a line of 16 MiB in pieces of 64 KiB", 16 * MIB, "x".repeat(64 * 1024), 1],
  ["a line of 256 KiB in single characters", MIB / 4, "x", 1],
  ["an event of many lines", MIB, `data: ${"x".repeat(57)}\n`, MIB / 64],
  ["many lines in large pieces", 4 * MIB, `data: ${"x".repeat(9)}\r\n`.repeat(4096), (4 * MIB) / 17],
])("%s is looked at a few times, not once a piece", (_, length, piece, lines) => {
  const given: string[] = [];
  const parser = createEventParser({ onEvent: (data) => given.push(data), onRetry: () => {} });
  const pieces = Math.ceil(length / piece.length);
  const scanned = countScanned(() => {
    parser.feed("data: ");
    for (let n = 0; n < pieces; n++) parser.feed(piece);
    parser.feed("\n\n");
  });
  expect(given).toHaveLength(1);
  expect(given[0]?.length).toBeGreaterThan(length / 2);
  expect(scanned).toBeLessThan(6 * (pieces * piece.length + lines));
});

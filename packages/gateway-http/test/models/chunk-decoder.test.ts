import fc from "fast-check";
import { expect, test } from "vitest";
import { createDecoder, decode, decodePlainly, joined, said } from "./decode.ts";

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const content = (text: string, more: object = {}) => ({ choices: [{ index: 0, delta: { content: text } }], ...more });

/** Texts that would show a wrong short cut: quotes, escapes, controls, surrogates, what looks like JSON or SSE. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      "\\",
      "\n",
      "\r",
      "\u0000",
      "\u2028",
      "\ufeff",
      "é",
      "漢",
      "😀",
      "\ud800",
      "}",
      "data: ",
    ),
  }),
  fc.constantFrom("", '"},"finish_reason":"stop"', "[DONE]", "\\u0041", "\u2063probe\u2063", "\n\ndata: {}\n\n"),
);

/** JSON as other libraries write it: members in any order, spaces anywhere, anything escaped. */
interface Style {
  space: string;
  reverse: boolean;
  ascii: boolean;
}
const style: fc.Arbitrary<Style> = fc.record({
  space: fc.constantFrom("", " ", "  "),
  reverse: fc.boolean(),
  ascii: fc.boolean(),
});

function write(value: unknown, how: Style): string {
  if (Array.isArray(value)) return `[${value.map((item) => write(item, how)).join(`,${how.space}`)}]`;
  if (typeof value !== "object" || value === null) {
    const json = JSON.stringify(value);
    return how.ascii ? json.replace(/[\u007f-\uffff]/g, toEscape) : json;
  }
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}${how.space}:${how.space}${write(item, how)}`,
  );
  return `{${how.space}${(how.reverse ? members.reverse() : members).join(`,${how.space}`)}${how.space}}`;
}
const toEscape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

const usage = fc.constantFrom(undefined, null, { prompt_tokens: 3, completion_tokens: 4 });

/** Envelopes: what stands around the text, the same for a whole stream except for the members that change. */
const envelope = fc.record({
  head: fc.dictionary(
    fc.constantFrom("id", "object", "model", "content", "x"),
    fc.constantFrom("a", "content", 1, null),
  ),
  delta: fc.dictionary(fc.constantFrom("role", "refusal", "tool_calls", "x"), fc.constantFrom(null, "assistant")),
  finish: fc.constantFrom(undefined, null),
  changing: fc.boolean(),
  usage,
});

const chunks = fc
  .tuple(envelope, fc.array(fc.tuple(text, usage), { maxLength: 12 }))
  .map(([{ head, delta, finish, changing, usage: always }, texts]) =>
    texts.map(([item, sometimes], index) => ({
      ...head,
      choices: [
        {
          index: 0,
          delta: { ...delta, content: item },
          ...(finish !== undefined && { finish_reason: finish }),
          ...(changing && { obfuscation: "x".repeat(index) }),
        },
      ],
      ...(always !== undefined && { usage: always }),
      ...(changing && sometimes && { usage: sometimes }),
    })),
  );

/** The stream's bytes, cut at any places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 40 });

test("the short cut and the parser say the same for any text, envelope and cut", () => {
  fc.assert(
    fc.property(chunks, style, cuts, (items, how, places) => {
      const stream = items.map((item) => `data: ${write(item, how)}\n\n`).join("");
      const { events } = decode(cut(Buffer.from(stream), places));
      expect(joined(events)).toEqual(joined(decodePlainly(Buffer.from(stream).toString())));
    }),
    { numRuns: 1000 },
  );
});

test("a text that is escaped in any way arrives as it was meant", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), style, (texts, how) => {
      const stream = texts.map((item) => `data: ${write(content(item), how)}\n\n`).join("");
      const whole = how.ascii ? texts : texts.map((item) => Buffer.from(JSON.stringify(item)).toString()).map(parse);
      expect(said(decode([stream]).events)).toBe(whole.join(""));
    }),
  );
});
const parse = (json: string) => JSON.parse(json) as string;

test("a stream read byte by byte says the same as in one piece, whatever its line ends", () => {
  const parts = fc.array(
    fc.oneof(
      text.map((item) => data(content(item))),
      fc.constantFrom(": comment\n\n", "\n", "retry: 5\n\n", "event: x\nid: 1\ndata: {}\n\n", "data\n\n", "x: y\n\n"),
      text.map((item) => `data: {"choices":\ndata: ${JSON.stringify(content(item).choices)}\ndata: }\n\n`),
    ),
    { maxLength: 8 },
  );
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(parts, lineEnd, fc.boolean(), (events, end, bom) => {
      const stream = (bom ? "\ufeff" : "") + events.join("").replaceAll("\n", end);
      const bytes = Buffer.from(stream);
      const plain = decodePlainly(bytes.toString());
      expect(joined(decode([bytes]).events)).toEqual(joined(plain));
      // One by one no two events arrive together.
      expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte))).events).toEqual(plain);
    }),
  );
});

for (const [name, end] of [
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
]) {
  test(`an event is passed on with the read that ends it, lines ending with ${name}`, () => {
    const decoder = createDecoder();
    const events = decoder.decode(Buffer.from(`data: ${JSON.stringify(content("now"))}${end}${end}`));
    expect(said(events)).toBe("now");
  });
}

test("an event in every possible two reads", () => {
  const bytes = Buffer.from(`\ufeff: hi\r\n\r\ndata: ${JSON.stringify(content("é😀\n"))}\r\n\r\ndata: [DONE]\r\n\r\n`);
  for (let place = 0; place <= bytes.length; place++) {
    const { events, decoder } = decode(cut(bytes, [place]));
    expect([said(events), decoder.done]).toEqual(["é😀\n", true]);
  }
});

test("a plain delta after one with a finish reason, a tool call or reasoning is not taken for one of those", () => {
  const special = [
    { choices: [{ index: 0, delta: { content: "b" }, finish_reason: "length" }] },
    { choices: [{ index: 0, delta: { content: "b", reasoning_content: "r" } }] },
    { choices: [{ index: 0, delta: { content: "b", tool_calls: [{ index: 0, id: "c", function: { name: "f" } }] } }] },
    { choices: [{ index: 0, delta: { content: "b", refusal: "no" } }] },
  ];
  for (const chunk of special) {
    const stream = [content("a"), chunk, content("c"), chunk].map(data).join("");
    expect(joined(decode([stream]).events)).toEqual(joined(decodePlainly(stream)));
  }
});

test("a text that stands elsewhere in the event, too, is not mistaken for that", () => {
  for (const text of ["a", "\u2063probe\u2063", "", "."]) {
    const stream = [text, "b", text].map((item) => data({ content: text, ...content(item) })).join("");
    expect(said(decode([stream]).events)).toBe(`${text}b${text}`);
  }
});

test("[DONE] ends the stream: what follows it is not read", () => {
  const { events, decoder } = decode([`${data(content("a"))}data: [DONE]\n\n${data(content("b"))}`, "garbage\n\n"]);
  expect([said(events), decoder.done]).toEqual(["a", true]);
});

test("[DONE] is known with and without spaces around it", () => {
  for (const done of ["data:[DONE]\n\n", "data: [DONE] \n\n", "event: message\ndata: [DONE]\n\n"]) {
    expect(decode([done]).decoder.done).toBe(true);
  }
});

test("a text that reads [DONE] is a text", () => {
  const { events, decoder } = decode([data(content("[DONE]"))]);
  expect([said(events), decoder.done]).toEqual(["[DONE]", false]);
});

import type { ForeignChunk } from "./chunk-events.ts";

/** What is the same around the text of every plain content delta of one stream. */
export interface ContentTemplate {
  /** From `data:` to the opening quote of the text. */
  before: string;
  /** From the closing quote of the text to the blank line. */
  after: string;
}

/** An envelope this long is no token's. */
const MAX_LEARNT_LENGTH = 4096;

/**
 * The parts of a content delta that do not change from token to token: with them, the next delta is recognised by two
 * comparisons, at a fraction of the price of `JSON.parse`. Returns `undefined` unless `event` is a delta that says nothing
 * but its text: the guess is proven by putting a probe where the text was and parsing the result. Pure.
 *
 * @param event one whole event: `data: {…}`, a single line, with its blank line
 * @param chunk what `event` parses to
 */
export function learnTemplate(event: string, chunk: ForeignChunk): ContentTemplate | undefined {
  if (event.length > MAX_LEARNT_LENGTH || !isPlain(chunk)) return undefined;
  const literal = /("content"\s*:\s*")(?:[^"\\]|\\.)*"/.exec(event);
  if (!literal) return undefined;
  const [whole, opening = ""] = literal;
  const before = event.slice(0, literal.index + opening.length);
  const after = event.slice(literal.index + whole.length - 1);
  try {
    // Another text than the event's own: if it comes back, this is where the text stands, and nowhere else.
    const other = `${chunk.choices?.[0]?.delta?.content}.`;
    const probe = JSON.parse(
      (before + JSON.stringify(other).slice(1, -1) + after).replace(/^data:/, ""),
    ) as ForeignChunk;
    if (!isPlain(probe) || probe.choices?.[0]?.delta?.content !== other) return undefined;
  } catch {
    return undefined;
  }
  return { before: copy(before), after: copy(after) };
}

/** V8 cuts a string by pointing into the longer one, which would stay in memory as long as the stream. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}

/** Whether a chunk says nothing but text: one choice, not finished, whose delta holds content alone; no usage. */
export function isPlain({ choices, usage, error }: ForeignChunk): boolean {
  if (usage != null || error != null || choices?.length !== 1) return false;
  const { delta, finish_reason } = choices[0] ?? {};
  if (!delta || finish_reason != null || typeof delta.content !== "string") return false;
  return Object.entries(delta).every(([key, value]) => key === "content" || key === "role" || value === null);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings.
const NEEDS_PARSING = /["\\\u0000-\u001f]/;

/** The text of the event from `at` to `end` when it is a plain content delta by the template, else `undefined`. */
export function readPlain(text: string, at: number, end: number, template: ContentTemplate): string | undefined {
  const { before, after } = template;
  const from = at + before.length;
  const to = end - after.length;
  // Cutting and comparing is a comparison of memory; `startsWith` goes character by character.
  if (to < from || text.slice(at, from) !== before || text.slice(to, end) !== after) return undefined;
  const inside = text.slice(from, to);
  if (!NEEDS_PARSING.test(inside)) return inside;
  try {
    return JSON.parse(`"${inside}"`) as string;
  } catch {
    // A bare quote: the ends met by chance. Or broken JSON, which the parser is to say.
    return undefined;
  }
}

import type { ForeignChunk } from "./chunk-events.ts";

/** Between these two stands the text of a plain content delta, in every event of one stream. */
export interface ContentTemplate {
  /** From `data:` to the opening quote of the content. */
  before: string;
  /** From the closing quote of the content to the blank line. */
  after: string;
}

const PROBE = "\u2063probe\u2063";

/**
 * The parts of a content delta that do not change from token to token: with them, the next delta is recognised by two
 * comparisons instead of a JSON parse. Returns `undefined` unless `event` is a delta that says nothing but its text:
 * the guess is proven by putting a probe where the text was and parsing the result. Pure.
 *
 * @param event one whole event: `data: {…}`, a single line, with its blank line
 * @param chunk what `event` parses to
 */
export function learnTemplate(event: string, chunk: ForeignChunk): ContentTemplate | undefined {
  if (!isPlain(chunk)) return undefined;
  const literal = /"content"\s*:\s*("(?:[^"\\]|\\.)*")/d.exec(event);
  const span = literal?.indices?.[1];
  if (!span) return undefined;
  const template = { before: event.slice(0, span[0] + 1), after: event.slice(span[1] - 1) };
  try {
    const probe = JSON.parse((template.before + PROBE + template.after).replace(/^data:/, "")) as ForeignChunk;
    return isPlain(probe) && probe.choices?.[0]?.delta?.content === PROBE ? template : undefined;
  } catch {
    return undefined;
  }
}

/** One choice, not finished, whose delta holds content and nothing else; no usage. */
function isPlain({ choices, usage, error }: ForeignChunk): boolean {
  if (usage != null || error != null || choices?.length !== 1) return false;
  const { delta, finish_reason } = choices[0] ?? {};
  if (!delta || finish_reason != null || typeof delta.content !== "string") return false;
  return Object.entries(delta).every(([key, value]) => key === "content" || key === "role" || value === null);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings.
const NEEDS_PARSING = /["\\\u0000-\u001f]/;

/**
 * The text of the event at `from`..`to` when it is a plain content delta by the template, else `undefined`. Most
 * tokens have nothing to unescape.
 */
export function readPlain(text: string, from: number, to: number, template: ContentTemplate): string | undefined {
  const start = from + template.before.length;
  const end = to - template.after.length;
  if (end < start || !text.startsWith(template.before, from) || !text.startsWith(template.after, end)) return undefined;
  const inside = text.slice(start, end);
  if (!NEEDS_PARSING.test(inside)) return inside;
  try {
    // A quote that is not escaped makes this throw: then the two comparisons met by chance and the event is parsed.
    return JSON.parse(`"${inside}"`) as string;
  } catch {
    return undefined;
  }
}

import { microsNow, microsSince, STAMP_DIGITS } from "../clock.ts";

const CONTENT = Buffer.from('"content":');
const QUOTE = 34;
const BACKSLASH = 92;
const MAX_LINE = 1024 * 1024;
const MIN_END = 80;

/** What all streams of a scenario have received together. */
export type Tally = { tokens: number; transits: number[]; isRecording: boolean };

/**
 * Finds the stamped tokens in an answer, whatever events they come in: the text of every `content` is read as one run of
 * characters, so a gateway may merge, split or re-write the chunks. Works line by line on bytes, for SSE and for JSON.
 */
export class StampReader {
  tokens = 0;
  /** When the first token was seen, and how long it had been under way. */
  firstAt = 0;
  hasDone = false;
  hasFinish = false;
  /** The last lines without a token: where a failure says what it is. */
  lastWords = "";
  readonly #tally: Tally;
  #carry: Buffer | null = null;
  /** Digits of the stamp being read, -1 between stamps. It outlives a chunk: a token may be cut in two. */
  #digits = -1;
  #stamp = 0;

  #column = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  feed(slice: Buffer): void {
    const bytes = this.#carry ? Buffer.concat([this.#carry, slice]) : slice;
    const end = bytes.lastIndexOf(10) + 1;
    // Copied, because the slice is a piece of the buffer that the next read overwrites.
    this.#carry = end < bytes.length ? Buffer.from(bytes.subarray(end)) : null;
    if (this.#carry && this.#carry.length > MAX_LINE) throw new Error("the answer has a line of more than 1 MiB");
    if (end > 0) this.#readLines(bytes.subarray(0, end), false);
  }

  /** A JSON answer has no line end. */
  finish(): void {
    if (this.#carry) this.#readLines(this.#carry, true);
    this.#carry = null;
  }

  #readLines(lines: Buffer, isLast: boolean): void {
    const before = this.tokens;
    const now = microsNow();
    let tail = 0;
    for (let at = this.#findText(lines, 0); at >= 0; at = this.#findText(lines, tail)) {
      tail = lines[at] === QUOTE ? this.#readText(lines, at + 1, now) : at;
    }
    const count = this.tokens - before;
    this.#tally.tokens += count;
    if (count > 0 && before === 0) this.firstAt = now;
    // Only what follows the last token is read as text: the end of a stream, or its failure. The rest of the token's own
    // chunk is shorter than this, and not worth it.
    if (!isLast && count > 0 && lines.length - tail < MIN_END) return;
    const rest = lines.toString("latin1", tail);
    this.hasFinish ||= rest.includes('"finish_reason":"stop"') || rest.includes('"finish_reason": "stop"');
    this.hasDone ||= rest.includes("data: [DONE]");
    if (count === 0) this.lastWords = rest.slice(0, 300);
  }

  /**
   * Where the value of the next `content` begins. A search through every byte is half of the load's work, and chunks of
   * one answer are alike: so the next line is first looked at where the last one had its text.
   */
  #findText(lines: Buffer, from: number): number {
    const lineEnd = from === 0 ? -1 : lines.indexOf(10, from);
    if (lineEnd < 0 && from > 0) return -1;
    // SSE has an empty line between events.
    const lineStart = lines[lineEnd + 1] === 10 ? lineEnd + 2 : lineEnd + 1;
    let at = lineStart + this.#column;
    if (!isContentAt(lines, at)) {
      at = lines.indexOf(CONTENT, from);
      if (at < 0) return -1;
      this.#column = at - lines.lastIndexOf(10, at) - 1;
    }
    at += CONTENT.length;
    while (lines[at] === 32) at++;
    return at;
  }

  #readText(lines: Buffer, start: number, now: number): number {
    let at = start;
    for (; at < lines.length; at++) {
      const byte = lines[at] as number;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) at++;
      else if (byte === 116) {
        this.#digits = 0;
        this.#stamp = 0;
      } else if (byte === 59) this.#endStamp(now);
      else if (this.#digits >= 0) {
        this.#digits++;
        this.#stamp = this.#stamp * 10 + byte - 48;
      }
    }
    return at;
  }

  #endStamp(now: number): void {
    if (this.#digits === STAMP_DIGITS) {
      this.tokens++;
      if (this.#tally.isRecording) this.#tally.transits.push(microsSince(this.#stamp, now) / 1000);
    }
    this.#digits = -1;
  }
}

function isContentAt(lines: Buffer, at: number): boolean {
  for (let position = 0; position < CONTENT.length; position++) {
    if (lines[at + position] !== CONTENT[position]) return false;
  }
  return true;
}

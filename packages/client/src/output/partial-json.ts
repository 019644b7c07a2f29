/** JSON that is still being written. */
export interface PartialJson {
  /** Gives how much of it can be read now, in characters: no more than before means nothing new. */
  add(text: string): number;
  /**
   * What there is of it: strings as far as they came, numbers and other words once they are whole, members once they have
   * a value. `undefined` before the first value, and for text that is not JSON.
   */
  read(): unknown;
  /** No more comes, and nothing was cut off: a number at the very end is whole. Gives what `add` gives. */
  end(): number;
}

const HIGH_SURROGATE = /[\ud800-\udbff]/;
/** The same after a backslash. */
const ESCAPED_HIGH_SURROGATE = /^ud[89ab]/i;

/** Every character is looked at once, whatever the pieces are; only {@link PartialJson.read} takes its length in time. */
export function createPartialJson(): PartialJson {
  let text = "";
  /** `text` up to here, and what closes what is open, is whole JSON. */
  let safe = 0;
  /** What closes it, the innermost last. */
  const open: string[] = [];
  let isKeyNext = false;
  let inString: "key" | "value" | undefined;
  /** What has come of an escape sequence since its backslash. */
  let escaped: string | undefined;
  let inWord = false;

  function takeInString(char: string, at: number): void {
    // Half of a pair is no character: it is shown with its other half.
    let isHalf = false;
    if (escaped !== undefined) {
      escaped += char;
      if (escaped[0] === "u" && escaped.length < 5) return;
      isHalf = ESCAPED_HIGH_SURROGATE.test(escaped);
      escaped = undefined;
    } else if (char === "\\") {
      escaped = "";
      return;
    } else if (char === '"') {
      if (inString === "value") safe = at + 1;
      inString = undefined;
      return;
    } else isHalf = HIGH_SURROGATE.test(char);
    if (inString === "value" && !isHalf) safe = at + 1;
  }

  function take(char: string, at: number): void {
    const isWordEnd = /[\s,\]}]/.test(char);
    if (inWord && isWordEnd) safe = at;
    inWord &&= !isWordEnd;
    if (char === "{" || char === "[") {
      isKeyNext = char === "{";
      open.push(isKeyNext ? "}" : "]");
      safe = at + 1;
    } else if (char === "}" || char === "]") {
      open.pop();
      safe = at + 1;
    } else if (char === '"') {
      inString = isKeyNext ? "key" : "value";
      if (!isKeyNext) safe = at + 1;
    } else if (char === ":") isKeyNext = false;
    else if (char === ",") isKeyNext = open.at(-1) === "}";
    else if (!isWordEnd) inWord = true;
  }

  return {
    read() {
      if (safe === 0) return undefined;
      const closers = (inString === "value" ? '"' : "") + open.toReversed().join("");
      try {
        return JSON.parse(text.slice(0, safe) + closers);
      } catch {
        return undefined;
      }
    },
    add(piece) {
      const before = text.length;
      text += piece;
      // Not in `text`: to look into it would copy it, each time that it has grown.
      for (let at = 0; at < piece.length; at++) (inString ? takeInString : take)(piece[at] as string, before + at);
      return safe;
    },
    end() {
      if (inWord) safe = text.length;
      return safe;
    },
  };
}

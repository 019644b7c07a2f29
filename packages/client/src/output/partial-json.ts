/** JSON that is still being written. */
export interface PartialJson {
  add(text: string): void;
  /**
   * What there is of it: strings as far as they came, numbers and other words once they are whole, members once they have
   * a value. `undefined` before the first brace or quote, and for text that is not JSON.
   */
  read(): unknown;
}

/** Every character is looked at once, whatever the pieces are; only {@link PartialJson.read} takes its length in time. */
export function createPartialJson(): PartialJson {
  let text = "";
  /** `text` up to here, and `closers`, are whole JSON. */
  let safe = 0;
  let closers = "";
  const open: string[] = [];
  let isKeyNext = false;
  let inString: "key" | "value" | undefined;
  /** Characters of an escape sequence that are still to come. */
  let escaped = 0;
  let inWord = false;

  function mark(end: number): void {
    safe = end;
    closers = (inString ? '"' : "") + open.join("");
  }

  function takeInString(char: string, at: number): void {
    if (escaped > 0) {
      // `\u` has four digits to come.
      escaped += char === "u" && escaped === 1 && text[at - 1] === "\\" ? 3 : -1;
    } else if (char === "\\") {
      escaped = 1;
      return;
    } else if (char === '"') {
      const wasValue = inString === "value";
      inString = undefined;
      if (wasValue) mark(at + 1);
      return;
    }
    if (escaped === 0 && inString === "value") safe = at + 1;
  }

  function take(char: string, at: number): void {
    const isWordEnd = /[\s,\]}]/.test(char);
    if (inWord && isWordEnd) mark(at);
    inWord &&= !isWordEnd;
    if (char === "{" || char === "[") {
      isKeyNext = char === "{";
      open.unshift(isKeyNext ? "}" : "]");
      mark(at + 1);
    } else if (char === "}" || char === "]") {
      open.shift();
      isKeyNext = false;
      mark(at + 1);
    } else if (char === '"') {
      inString = isKeyNext ? "key" : "value";
      if (!isKeyNext) mark(at + 1);
    } else if (char === ":") isKeyNext = false;
    else if (char === ",") isKeyNext = open[0] === "}";
    else if (!isWordEnd) inWord = true;
  }

  return {
    add(piece) {
      const from = text.length;
      text += piece;
      for (let at = from; at < text.length; at++) (inString ? takeInString : take)(text[at] as string, at);
    },
    read() {
      if (safe === 0) return undefined;
      try {
        return JSON.parse(text.slice(0, safe) + closers);
      } catch {
        return undefined;
      }
    },
  };
}

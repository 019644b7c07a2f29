export interface EventListener {
  /** @param id - Of this event; the last one's does not stay. */
  onEvent(data: string, id: string | undefined): void;
  /** Milliseconds. */
  onRetry(milliseconds: number): void;
}

export interface EventParser {
  /** @returns the length of the event that is still to come, as far as it is there */
  feed(text: string): number;
}

/**
 * Parses an event stream as its text comes, in pieces of any size. Names of events and comments are passed over, an event
 * that has not ended is not given. The text comes from a `TextDecoder`, which takes the byte order mark away.
 *
 * Our own, because it is half the code of what there is to install, and takes a piece as a whole where that has no CR.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createEventParser({ onEvent, onRetry }: EventListener): EventParser {
  /** Of a line that has not ended. */
  let rest = "";
  let data: string | undefined;
  let id: string | undefined;
  let endedWithCr = false;

  function take(line: string): void {
    if (line === "") {
      if (data !== undefined) onEvent(data, id);
      data = id = undefined;
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data") data = data === undefined ? value : `${data}\n${value}`;
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
  }

  return {
    feed(piece) {
      let text = piece;
      if (endedWithCr && text[0] === "\n") text = text.slice(1);
      if (piece) endedWithCr = piece.endsWith("\r");
      if (text.includes("\r")) text = text.replace(/\r\n?/g, "\n");
      let from = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
        take(rest + text.slice(from, end));
        rest = "";
        from = end + 1;
      }
      rest += text.slice(from);
      return rest.length + (data?.length ?? 0);
    },
  };
}

import { MAX_ANSWER_BYTES } from "../read-body.ts";

/** Longest event a provider may send. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/** Looks at the bytes of an answer as they come, and says what is wrong with them. */
export type Bound = (bytes: Uint8Array) => string | undefined;

/** What holds the answers of a content type within bounds; `undefined` for one that no provider answers with. */
export function createBound(contentType: string): Bound | undefined {
  if (/\bjson\b/i.test(contentType)) return boundWhole();
  if (/^text\/event-stream\b/i.test(contentType)) return boundEvents();
  if (/^application\/vnd\.amazon\.eventstream\b/i.test(contentType)) return boundFrames();
  return undefined;
}

function boundWhole(): Bound {
  let size = 0;
  return ({ length }) => {
    size += length;
    return size > MAX_ANSWER_BYTES ? "The provider's answer is too large." : undefined;
  };
}

/** An event ends with a blank line, and a line with LF, CRLF or CR. */
function boundEvents(): Bound {
  let size = 0;
  let isBlank = true;
  let last = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      size++;
      if (byte === CR || (byte === LF && last !== CR)) {
        if (isBlank) size = 0;
        isBlank = true;
      } else if (byte !== LF) isBlank = false;
      last = byte;
    }
    return size > MAX_EVENT_BYTES ? ENDLESS : undefined;
  };
}

/** A frame begins with its length, in four bytes. */
function boundFrames(): Bound {
  let length = 0;
  let read = 0;
  let left = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      if (left > 0) {
        const step = Math.min(left, bytes.length - at);
        at += step;
        left -= step;
        continue;
      }
      length = length * 256 + (bytes[at++] as number);
      if (++read < LENGTH_BYTES) continue;
      if (length > MAX_EVENT_BYTES) return ENDLESS;
      if (length <= LENGTH_BYTES) return "The provider sent an event without a length.";
      left = length - LENGTH_BYTES;
      length = 0;
      read = 0;
    }
    return undefined;
  };
}

const LENGTH_BYTES = 4;
const ENDLESS = "The provider sent an event without an end.";

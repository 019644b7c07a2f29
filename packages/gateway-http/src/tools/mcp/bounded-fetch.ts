import { traceHeaders } from "../../observe/traces.ts";
import { MAX_MESSAGE_BYTES, TOO_LARGE } from "./limits.ts";

const NEW_LINE = 10;

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * `fetch`, for answers of bounded size: a body may have 32 MiB, or each event of it when it is a stream of events.
 *
 * @param onTooLarge is told before the body breaks off
 */
export function createBoundedFetch(onTooLarge: () => void): Fetch {
  return async (url, init) => {
    const response = await fetch(url, withTrace(init));
    if (response.body === null) return response;
    const isStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
    const count = isStream ? createEventCounter() : createCounter();
    const limit = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (count(chunk) <= MAX_MESSAGE_BYTES) return controller.enqueue(chunk);
        onTooLarge();
        controller.error(new Error(TOO_LARGE));
      },
    });
    return new Response(response.body.pipeThrough(limit), response);
  };
}

/** A request of a traced call says so. */
function withTrace(init: RequestInit | undefined): RequestInit | undefined {
  const fields = Object.entries(traceHeaders());
  if (fields.length === 0) return init;
  const headers = new Headers(init?.headers);
  for (const [name, value] of fields) headers.set(name, value);
  return { ...init, headers };
}

type Counter = (chunk: Uint8Array) => number;

function createCounter(): Counter {
  let size = 0;
  return (chunk) => {
    size += chunk.length;
    return size;
  };
}

/** Counts the bytes of the event that is being read: a blank line ends it. */
export function createEventCounter(): Counter {
  let size = 0;
  let lineSize = 0;
  return (chunk) => {
    let largest = 0;
    let at = 0;
    for (let end = chunk.indexOf(NEW_LINE); end !== -1; end = chunk.indexOf(NEW_LINE, at)) {
      size += end + 1 - at;
      lineSize += end - at;
      largest = Math.max(largest, size);
      // A line of one character can only be the carriage return before its end.
      if (lineSize <= 1) size = 0;
      lineSize = 0;
      at = end + 1;
    }
    size += chunk.length - at;
    lineSize += chunk.length - at;
    return Math.max(largest, size);
  };
}

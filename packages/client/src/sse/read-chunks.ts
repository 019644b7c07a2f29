import type { ChatCompletionChunk } from "@openclaw/protocol";
import { SSE_DONE } from "@openclaw/protocol/wire";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { toFrameError } from "../api-error.ts";
import { StreamTruncatedError } from "../errors.ts";

/** Most characters of one event: a stream that never ends its line must not fill the memory. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** Milliseconds a server may take to close a stream that has ended. */
const CLOSE_WITHIN = 1_000;

/** A chunk, and the id of the event it came with, if it has one. */
export interface ChunkEvent {
  id: string | undefined;
  chunk: ChatCompletionChunk;
}

/**
 * The chunks of a streamed answer as they come. Ends only where the stream said that it is whole; every other end
 * throws, and the chunks before it have been given by then.
 *
 * @throws APIError of an error frame
 * @throws StreamTruncatedError when the body ends, breaks or cannot be read before `[DONE]`
 * @throws what `signal` was aborted with
 */
export async function* readChunks(
  { body, headers }: Response,
  signal: AbortSignal,
): AsyncGenerator<ChunkEvent, void, undefined> {
  if (!body) throw new StreamTruncatedError("The stream has no body.");
  const reader = body.getReader();
  // Not every `fetch` ends its body with its signal.
  const cancel = () => void reader.cancel().catch(ignore);
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let events: EventSourceMessage[] = [];
  let overflow: Error | undefined;
  let retryAfter: number | undefined;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: (event) => void events.push(event),
    onRetry: (milliseconds) => {
      retryAfter = milliseconds / 1000;
    },
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") overflow = error;
    },
  });
  let ended = false;
  try {
    while (true) {
      const { done, value } = await readOrThrow(reader, signal);
      if (done) throw new StreamTruncatedError("The stream ended before [DONE].");
      parser.feed(decoder.decode(value, { stream: true }));
      for (const { id, data } of events) {
        if (data === SSE_DONE) {
          ended = true;
          return;
        }
        const frame = parseFrame(data);
        const error = toFrameError(frame, headers, retryAfter);
        if (error) {
          ended = true;
          throw error;
        }
        // A frame without choices is not part of the answer, and would break whoever reads `choices[0]`.
        const chunk = frame as ChatCompletionChunk;
        if (Array.isArray(chunk.choices)) yield { id, chunk };
        signal.throwIfAborted();
      }
      events = [];
      if (overflow) throw new StreamTruncatedError("An event of the stream is too long.", { cause: overflow });
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    if (ended) closeSoon(reader);
    else cancel();
  }
}

async function readOrThrow(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal) {
  try {
    signal.throwIfAborted();
    const result = await reader.read();
    signal.throwIfAborted();
    return result;
  } catch (cause) {
    signal.throwIfAborted();
    throw new StreamTruncatedError("The connection broke in the midst of the stream.", { cause });
  }
}

function parseFrame(data: string): object {
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch (cause) {
    throw new StreamTruncatedError("An event of the stream is not JSON.", { cause });
  }
  return Object(frame);
}

/**
 * Lets the server close first: cancelling a body that is about to end would cost the connection, which the next
 * request can use.
 */
function closeSoon(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const timer = setTimeout(() => void reader.cancel().catch(ignore), CLOSE_WITHIN);
  const drain = async () => {
    while (!(await reader.read()).done);
  };
  void drain()
    .catch(ignore)
    .finally(() => clearTimeout(timer));
}

function ignore(): void {}

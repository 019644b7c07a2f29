import { SSE_DONE } from "@openclaw/protocol/wire";
import { toFrameError } from "../api-error.ts";
import { LONGEST_TIMER } from "../attempt.ts";
import { StreamTruncatedError, TimeoutError } from "../errors.ts";
import type { ChatCompletionChunk } from "../types.ts";
import { createEventParser } from "./parse-events.ts";

/** Most characters of one event: a stream that never ends its line must not fill the memory. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** Milliseconds a server may take to close a stream that has ended. */
const CLOSE_WITHIN = 1_000;
/** Milliseconds at the end of the idle time that are waited for by themselves. */
const LAST_STRETCH = 1_000;

/** A chunk, and the id of the event it came with, if it has one. */
export interface ChunkEvent {
  id: string | undefined;
  chunk: ChatCompletionChunk;
}

/** How a stream is read. */
export interface ReadOptions {
  /** Ends the reading. */
  signal: AbortSignal;
  /** Milliseconds without a byte, comments included, after which the connection counts as cut. */
  idleTimeout: number;
}

/**
 * The chunks of a streamed answer as they come, those that came together as one array. Ends only where the stream said
 * that it is whole; every other end throws, and the chunks before it have been given by then.
 *
 * @throws APIError of an error frame
 * @throws StreamTruncatedError when the body ends, breaks or cannot be read before `[DONE]`
 * @throws what `signal` was aborted with
 */
export async function* readChunks(
  response: Response,
  { signal, idleTimeout }: ReadOptions,
): AsyncGenerator<ChunkEvent[], void, undefined> {
  const { body } = response;
  if (!body) throw new StreamTruncatedError("The stream has no body.");
  const reader = body.getReader();
  // Not every `fetch` ends its body with its signal.
  const cancel = () => void reader.cancel().catch(ignore);
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let chunks: ChunkEvent[] = [];
  let failure: unknown;
  let ended = false;
  let retryAfter: number | undefined;
  const parser = createEventParser({
    onEvent(data, id) {
      if (ended || failure) return;
      if (data === SSE_DONE) {
        ended = true;
        return;
      }
      try {
        const frame = parseFrame(data);
        failure = toFrameError(frame, response, retryAfter);
        ended = failure !== undefined;
        const chunk = frame as ChatCompletionChunk;
        // A frame without choices is not part of the answer, and would break whoever reads `choices[0]`.
        if (Array.isArray(chunk.choices)) chunks.push({ id, chunk });
      } catch (error) {
        failure = error;
      }
    },
    onRetry(milliseconds) {
      retryAfter = milliseconds / 1000;
    },
  });
  let idle: TimeoutError | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const giveUp = () => {
    idle = new TimeoutError(`No sign of life for ${idleTimeout} ms.`);
    cancel();
  };
  // Two timers, one after the other: when a machine that slept or was busy goes on, the first one is due before what came
  // in the meantime is read, the second one is not.
  const last = Math.min(LAST_STRETCH, idleTimeout / 2);
  const startTimer = () => {
    timer = setTimeout(() => {
      timer = setTimeout(giveUp, last);
    }, idleTimeout - last);
  };
  try {
    while (true) {
      // Only while something is waited for: whoever takes their time with a chunk is not a silent server.
      if (idleTimeout <= LONGEST_TIMER) startTimer();
      const { done, value } = await readOrThrow(reader, signal);
      clearTimeout(timer);
      if (idle) throw new StreamTruncatedError("The stream fell silent.", { cause: idle });
      if (done) throw new StreamTruncatedError("The stream ended before [DONE].");
      const pending = parser.feed(decoder.decode(value, { stream: true }));
      if (chunks.length > 0) yield chunks;
      chunks = [];
      if (failure) throw failure;
      if (ended) return;
      if (pending > MAX_EVENT_LENGTH) throw new StreamTruncatedError("An event of the stream is too long.");
    }
  } finally {
    clearTimeout(timer);
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
    throw new StreamTruncatedError("The connection broke.", { cause });
  }
}

function parseFrame(data: string): object {
  try {
    const frame = Object(JSON.parse(data));
    // What is no list of objects would break its readers.
    for (const { delta } of frame.choices ?? []) for (const call of delta?.tool_calls ?? []) call.index;
    return frame;
  } catch (cause) {
    throw new StreamTruncatedError("An event of the stream cannot be read.", { cause });
  }
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

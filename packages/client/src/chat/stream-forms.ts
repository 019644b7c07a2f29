import { SSE_DONE, SSE_KEEP_ALIVE_FRAME } from "@openclaw/protocol/wire";
import { APIError } from "../errors.ts";
import { misuse } from "../options.ts";
import type { ChatCompletionChunk } from "../types.ts";

type Chunks = AsyncGenerator<ChatCompletionChunk, void, undefined>;

/** Two readers of one source. Whoever is ahead reads on for both. */
export function split(chunks: Chunks): [AsyncIterable<ChatCompletionChunk>, AsyncIterable<ChatCompletionChunk>] {
  type Result = Promise<IteratorResult<ChatCompletionChunk, void>>;
  const queues: [Result[], Result[]] = [[], []];
  let readers = 2;
  const branch = (own: 0 | 1): AsyncIterable<ChatCompletionChunk> => {
    let left = false;
    const other = queues[1 - own] as Result[];
    const iterator: AsyncIterator<ChatCompletionChunk, void> = {
      next() {
        if (left) return Promise.resolve({ done: true, value: undefined });
        const kept = queues[own].shift();
        if (kept) return kept;
        const next = chunks.next();
        if (readers > 1) other.push(next);
        return next;
      },
      async return() {
        if (!left) {
          left = true;
          queues[own].length = 0;
          if (--readers === 0) await chunks.return();
        }
        return { done: true, value: undefined };
      },
    };
    let started = false;
    return {
      [Symbol.asyncIterator]() {
        if (started) misuse("This half of the stream has been read.");
        started = true;
        return iterator;
      },
    };
  };
  return [branch(0), branch(1)];
}

/** Milliseconds of silence after which a comment says that there is life, as often as a gateway does. */
const KEEP_ALIVE = 15_000;

/** The frames of a gateway's own stream. */
export function toEventStream(chunks: Chunks): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const frame = (data: string) => encoder.encode(`data: ${data}\n\n`);
  return new ReadableStream(
    {
      async pull(controller) {
        const timer = setInterval(() => {
          // One is enough for a reader who does not come.
          if (controller.desiredSize === 0) controller.enqueue(encoder.encode(SSE_KEEP_ALIVE_FRAME));
        }, KEEP_ALIVE);
        try {
          const { done, value } = await chunks.next();
          if (!done) return controller.enqueue(frame(JSON.stringify(value)));
        } catch (error) {
          controller.enqueue(frame(JSON.stringify({ error: toTold(error) }, ENVELOPE)));
        } finally {
          clearInterval(timer);
        }
        controller.enqueue(frame(SSE_DONE));
        controller.close();
      },
      async cancel() {
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What is told of an error. */
const ENVELOPE = ["error", "message", "type", "param", "code"];

/** What a gateway said is passed on as it is; of other failures, a proxy's page too, no more than that there was one. */
function toTold(error: unknown): object {
  if (error instanceof APIError && (error.code || error.type)) return error;
  return {
    message: "The connection to the gateway failed.",
    type: "api_error",
    param: null,
    code: "provider_unreachable",
  };
}

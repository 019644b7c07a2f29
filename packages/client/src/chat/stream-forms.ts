import type { ChatCompletionChunk } from "@openclaw/protocol";
import { SSE_DONE } from "@openclaw/protocol/wire";
import { APIError } from "../errors.ts";

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
        // Whoever reads it gets its failure.
        next.catch(() => {});
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
    return { [Symbol.asyncIterator]: () => iterator };
  };
  return [branch(0), branch(1)];
}

/** The frames of a gateway's own stream. */
export function toEventStream(chunks: Chunks): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const frame = (data: string) => encoder.encode(`data: ${data}\n\n`);
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (!done) return controller.enqueue(frame(JSON.stringify(value)));
      } catch (error) {
        controller.enqueue(frame(JSON.stringify({ error: toEnvelope(error) })));
      }
      controller.enqueue(frame(SSE_DONE));
      controller.close();
    },
    async cancel() {
      await chunks.return();
    },
  });
}

/** What a gateway said is passed on as it is; of other failures no more than that there was one. */
function toEnvelope(error: unknown): object {
  const { message, type, param, code } =
    error instanceof APIError
      ? error
      : {
          message: "The connection to the gateway failed.",
          type: "api_error",
          param: null,
          code: "provider_unreachable",
        };
  return { message, type, param, code };
}

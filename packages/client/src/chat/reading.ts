import { misuse } from "../options.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../types.ts";

type Chunks = AsyncGenerator<ChatCompletionChunk, void, undefined>;

/** The ways to read what can be read once. */
export interface Reading {
  /** Leaving them ends the request. @throws OpenClawError the second time */
  chunks(): Chunks;
  /** Reads all of it, unless somebody does. */
  final(): Promise<ChatCompletion>;
  text(): Promise<string>;
}

/**
 * @param read - Called once.
 * @param abort - Ends what is read.
 * @param outcome - How the reading ends.
 */
export function createReading(read: () => Chunks, abort: () => void, outcome: Promise<ChatCompletion>): Reading {
  let started = false;

  function chunks(): Chunks {
    if (started) misuse("This stream has been read. Its whole answer is in `final()` and `text()`.");
    started = true;
    const chunks = read();
    const leave = chunks.return.bind(chunks);
    // `return()` alone waits for the chunk that is being waited for, and does nothing before the first one.
    chunks.return = (value) => {
      abort();
      return leave(value);
    };
    return chunks;
  }

  async function final(): Promise<ChatCompletion> {
    if (!started) {
      const all = chunks();
      while (!(await all.next()).done);
    }
    return outcome;
  }

  return { chunks, final, text: async () => (await final()).choices[0]?.message.content ?? "" };
}

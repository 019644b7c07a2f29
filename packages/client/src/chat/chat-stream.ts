import type { ChatCompletion, ChatCompletionChunk } from "@openclaw/protocol";
import { HEADERS } from "@openclaw/protocol/wire";
import { OpenClawError, StreamTruncatedError } from "../errors.ts";
import { misuse } from "../options.ts";
import { createAccumulator } from "./accumulate.ts";
import { type Connection, type ResumeInfo, readOn } from "./read-on.ts";

/** What a stream is made of. */
export interface StreamSource extends Connection {
  abort(): void;
  /** Lets go of the caller's signal. */
  release(): void;
  /** Ends the run, which leaving the connection does not. */
  cancel?: (runId: string) => void;
}

/**
 * A streamed answer: its chunks as they come, once; or `text()` or `final()` for all of it, also after the loop.
 * Leaving the loop early aborts the request. A connection that breaks is made anew, and nobody who reads sees it.
 *
 * @example
 * ```ts
 * for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? "");
 * const { usage } = await stream.final();
 * ```
 */
export class ChatStream implements AsyncIterable<ChatCompletionChunk> {
  /** Names this request in the gateway's log at level debug. */
  readonly requestId: string | null;
  /** The id of the completion. */
  readonly runId: string | null;
  /** The session the answer belongs to, decoded. */
  readonly sessionKey: string | null;
  readonly #source: StreamSource;
  readonly #listeners = { resume: [] as ((info: ResumeInfo) => void)[] };
  readonly #accumulator = createAccumulator();
  readonly #outcome = createOutcome<ChatCompletion>();
  #started = false;
  #ended = false;

  /** @internal */
  constructor(source: StreamSource) {
    const { signal, response } = source;
    const { headers } = response;
    this.#source = source;
    this.requestId = headers.get(HEADERS.requestId);
    this.runId = headers.get(HEADERS.runId);
    this.sessionKey = decodeKey(headers.get(HEADERS.sessionKey));
    // At once, because nobody may come to read what is over.
    signal.addEventListener("abort", () => this.#fail(signal.reason), { once: true });
    if (signal.aborted) this.#fail(signal.reason);
  }

  /**
   * Calls the listener each time the connection broke and the stream is about to come back, before the wait for it.
   * Nothing is to be done about it; a page may want to show it.
   */
  on(event: "resume", listener: (info: ResumeInfo) => void): this {
    this.#listeners[event].push(listener);
    return this;
  }

  /** @throws OpenClawError the second time: what has been read is gone. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    if (this.#started) misuse("This stream has been read. Its whole answer is in `final()` and `text()`.");
    this.#started = true;
    const chunks = this.#read();
    const leave = chunks.return.bind(chunks);
    // `return()` alone waits for the chunk that is being waited for, and does nothing before the first one.
    chunks.return = (value) => {
      this.abort();
      return leave(value);
    };
    return chunks;
  }

  /**
   * Reads to the end and gives the answer as it would have been without `stream`. May be called again, and after or
   * beside a loop over the chunks.
   *
   * @throws APIError of an error in the midst of the stream
   * @throws StreamTruncatedError when the stream was cut and could not be resumed
   * @throws AbortError when the request was aborted or the loop left
   */
  async final(): Promise<ChatCompletion> {
    if (!this.#started) {
      const chunks = this[Symbol.asyncIterator]();
      while (!(await chunks.next()).done);
    }
    return this.#outcome.promise;
  }

  /** Reads to the end and gives the text of the answer, empty when it has none. Throws what `final()` throws. */
  async text(): Promise<string> {
    const { choices } = await this.final();
    return choices[0]?.message.content ?? "";
  }

  /** Ends the request: whoever reads gets an `AbortError`. Does nothing once the stream has ended. */
  abort(): void {
    if (!this.#ended) this.#source.abort();
  }

  async *#read(): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    const onResume = (info: ResumeInfo) => {
      for (const listener of this.#listeners.resume) listener(info);
    };
    try {
      for await (const chunk of readOn(this.#source, onResume)) {
        this.#accumulator.add(chunk);
        yield chunk;
      }
      this.#outcome.resolve(this.#finish());
      this.#ended = true;
      this.#source.release();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #finish(): ChatCompletion {
    const completion = this.#accumulator.read();
    if (!completion?.choices.length || completion.choices.some(({ finish_reason }) => finish_reason === null)) {
      throw new StreamTruncatedError("The stream ended without a finish_reason.");
    }
    return completion as ChatCompletion;
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const partial = this.#accumulator.read();
    if (partial && error instanceof OpenClawError) Object.assign(error, { partial });
    this.#outcome.reject(error);
    const { signal, release, cancel } = this.#source;
    release();
    if (signal.aborted && this.runId) cancel?.(this.runId);
  }
}

function createOutcome<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  // Whoever reads the chunks has had the error; it is not unhandled when nobody asks for the outcome.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** Left as it is when it is not percent-encoded: a proxy may have written it. */
function decodeKey(header: string | null): string | null {
  try {
    return header && decodeURIComponent(header);
  } catch {
    return header;
  }
}

import { HEADERS } from "@openclaw/protocol/wire";
import { OpenClawError, StreamTruncatedError } from "../errors.ts";
import { createListeners } from "../listeners.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../types.ts";
import { createAccumulator } from "./accumulate.ts";
import { createOutcome } from "./outcome.ts";
import { type Connection, type ResumeInfo, readOn } from "./read-on.ts";
import { createReading } from "./reading.ts";
import { createTeller, type StreamEvents } from "./stream-events.ts";
import { split, toEventStream } from "./stream-forms.ts";

/** What a stream is made of. */
export interface StreamSource extends Connection {
  abort(): void;
  /** Lets go of the caller's signal. */
  release(): void;
  /** Ends the run, which leaving the connection does not. */
  cancel?: (runId: string) => void;
}

/**
 * A streamed answer, to be read once: its chunks as they come; or `text()` or `final()` for all of it, also after the
 * loop; or `tee()` or `toReadableStream()`. Leaving the loop early aborts the request. A connection that breaks is made
 * anew, and nobody who reads sees it.
 *
 * @example
 * ```ts
 * stream.on("content", (delta) => show(delta)).on("tool-activity", ({ type, name }) => log(type, name));
 * const { usage } = await stream.final();
 * ```
 */
export class ChatStream implements AsyncIterable<ChatCompletionChunk> {
  /** Names this request in the gateway's log at level debug. */
  readonly requestId: string | null;
  /** The session the answer belongs to, decoded. */
  readonly sessionKey: string | null;
  readonly #source: StreamSource;
  readonly #accumulator = createAccumulator();
  readonly #listeners = createListeners<StreamEvents>();
  readonly #tell = createTeller(this.#listeners, this.#accumulator);
  readonly #outcome = createOutcome<ChatCompletion>();
  readonly #reading = createReading(
    () => this.#read(),
    () => this.abort(),
    this.#outcome.promise,
  );
  #ended = false;

  /** @internal */
  constructor(source: StreamSource) {
    const { signal, response } = source;
    const { headers } = response;
    this.#source = source;
    this.requestId = headers.get(HEADERS.requestId);
    this.sessionKey = decodeKey(headers.get(HEADERS.sessionKey));
    // At once, because nobody may come to read what is over.
    signal.addEventListener("abort", () => this.#fail(signal.reason), { once: true });
    if (signal.aborted) this.#fail(signal.reason);
  }

  /** The id of the completion. */
  get runId(): string | null {
    // Of the connection it is read from: who comes back before anything had come may find that it began anew.
    return this.#source.response.headers.get(HEADERS.runId);
  }

  /**
   * Calls the listener each time this happens while somebody reads the stream, in a loop or by `final()` or `text()`:
   * listening alone reads nothing. It is called before the loop has the chunk. What a listener throws ends the stream and
   * the request, and is what its reader gets.
   */
  on<Name extends keyof StreamEvents>(event: Name, listener: (...args: StreamEvents[Name]) => void): this {
    this.#listeners.on(event, listener);
    return this;
  }

  /** @throws OpenClawError the second time: what has been read is gone. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    return this.#reading.chunks();
  }

  /**
   * Reads to the end and gives the answer as it would have been without `stream`. May be called again, and after or
   * beside a loop over the chunks.
   *
   * @throws APIError of an error in the midst of the stream
   * @throws StreamTruncatedError when the stream was cut and could not be resumed
   * @throws AbortError when the request was aborted or the loop left
   */
  final(): Promise<ChatCompletion> {
    return this.#reading.final();
  }

  /** Reads to the end and gives the text of the answer, empty when it has none. Throws what `final()` throws. */
  text(): Promise<string> {
    return this.#reading.text();
  }

  /**
   * The chunks twice, for two readers at their own pace, each to be read once: what one has not read yet is kept for it.
   * The request is aborted when both have left.
   *
   * @throws OpenClawError when the stream has been read
   */
  tee(): [AsyncIterable<ChatCompletionChunk>, AsyncIterable<ChatCompletionChunk>] {
    return split(this[Symbol.asyncIterator]());
  }

  /**
   * The answer as an event stream, as a gateway writes it: to pass it on from a server of one's own to a page, where any
   * client of Chat Completions reads it. A failure becomes an error frame: what the gateway said as it is, of any other
   * no more than that there was one. Nothing is read ahead of its reader, and cancelling it aborts the request.
   *
   * @example
   * ```ts
   * return new Response(stream.toReadableStream(), { headers: { "content-type": "text/event-stream" } });
   * ```
   * @throws OpenClawError when the stream has been read
   */
  toReadableStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return toEventStream(this[Symbol.asyncIterator]());
  }

  /** Ends the request: whoever reads gets an `AbortError`. Does nothing once the stream has ended. */
  abort(): void {
    if (!this.#ended) this.#source.abort();
  }

  async *#read(): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    const { signal, release } = this.#source;
    const onResume = (info: ResumeInfo) => this.#call(() => this.#listeners.emit("resume", info));
    try {
      for await (const chunks of readOn(this.#source, onResume)) {
        for (const chunk of chunks) {
          this.#accumulator.add(chunk);
          this.#call(() => this.#tell(chunk));
          yield chunk;
          signal.throwIfAborted();
        }
      }
      const completion = this.#finish();
      this.#ended = true;
      release();
      this.#listeners.emit("end", completion);
      this.#outcome.resolve(completion);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** A listener that throws or aborts leaves, as a loop does. */
  #call(listeners: () => void): void {
    try {
      listeners();
    } catch (error) {
      this.#fail(error, true);
      throw error;
    }
    this.#source.signal.throwIfAborted();
  }

  #finish(): ChatCompletion {
    const completion = this.#accumulator.read();
    if (!completion?.choices.length || completion.choices.some(({ finish_reason }) => finish_reason === null)) {
      throw new StreamTruncatedError("The stream ended without a finish_reason.");
    }
    return completion as ChatCompletion;
  }

  /** @param left - Whether the run is not wanted any more. */
  #fail(error: unknown, left = this.#source.signal.aborted): void {
    this.#outcome.reject(error);
    if (this.#ended) return;
    this.#ended = true;
    const partial = this.#accumulator.read();
    if (partial && error instanceof OpenClawError) Object.assign(error, { partial });
    const { abort, release, cancel } = this.#source;
    release();
    if (!left) return;
    abort();
    if (this.runId) cancel?.(this.runId);
  }
}

/** Left as it is when it is not percent-encoded: a proxy may have written it. */
function decodeKey(header: string | null): string | null {
  try {
    return header && decodeURIComponent(header);
  } catch {
    return header;
  }
}

import { type Attempt, createAttempt } from "../attempt.ts";
import type { ChatStream } from "../chat/chat-stream.ts";
import type { ChatCompletions } from "../chat/completions.ts";
import type { ChatCompletionParams, ChatOptions } from "../chat/create.ts";
import { createOutcome } from "../chat/outcome.ts";
import { createReading } from "../chat/reading.ts";
import type { StreamEvents } from "../chat/stream-events.ts";
import { toEventStream } from "../chat/stream-forms.ts";
import { OpenClawError } from "../errors.ts";
import { createListeners } from "../listeners.ts";
import { misuse, toIdempotencyKey } from "../options.ts";
import type { ChatCompletion, ChatCompletionChunk } from "../types.ts";
import { callTool, type ToolCall, type ToolResult, type Tools, toToolParams } from "./call-tools.ts";
import { joinSteps } from "./join-steps.ts";
import { keyOf, type Messages, toAnswer, toCalls, toStep } from "./talk.ts";

/** As of `create`, always streamed, with functions in place of their descriptions. */
export interface ToolRunParams extends Omit<ChatCompletionParams, "tools" | "stream" | "n"> {
  /**
   * How often the agent may be asked. `Infinity` for no limit.
   * @defaultValue 10
   */
  maxSteps?: number | undefined;
}

/** Those of each step's stream, and what comes of it. `end` comes once, with the answer. */
export interface ToolRunEvents extends StreamEvents {
  /** What came of a call, as soon as it is done, whatever the others do. */
  "tool-result": [result: ToolResult];
  /** The agent's whole word of a step, before its calls are made; the last is the answer. */
  step: [completion: ChatCompletion];
}

/** What a step's stream tells. */
const FORWARDED = ["content", "reasoning", "tool-call", "tool-activity", "usage", "resume"] as const;

/**
 * A talk with an agent that calls tools of yours, to be read once: the chunks of all its steps in a loop; or `final()`
 * or `text()` for its answer, also beside or after the loop. Leaving the loop, `abort()` and the signal end the step
 * under way; tools are told by their signal, and not waited for.
 *
 * @example
 * ```ts
 * run.on("content", (delta) => show(delta)).on("tool-result", ({ name, error }) => log(name, error ?? "done"));
 * const answer = await run.text();
 * const messages = [...run.messages, { role: "user" as const, content: "And tomorrow?" }];
 * ```
 */
export class ToolRun implements AsyncIterable<ChatCompletionChunk> {
  readonly #completions: ChatCompletions;
  readonly #tools: Tools;
  readonly #params: ChatCompletionParams;
  readonly #options: ChatOptions;
  readonly #maxSteps: number;
  readonly #messages: Messages;
  readonly #listeners = createListeners<ToolRunEvents>();
  readonly #outcome = createOutcome<ChatCompletion>();
  readonly #reading = createReading(
    () => this.#read(),
    () => this.abort(),
    this.#outcome.promise,
  );
  #scope: Attempt | undefined;
  #stream: ChatStream | undefined;
  #ended = false;

  /** @internal */
  constructor(
    completions: ChatCompletions,
    { tools, maxSteps = 10, ...params }: ToolRunParams & { tools: Tools },
    options: ChatOptions = {},
  ) {
    if (!(maxSteps >= 1)) misuse("`maxSteps` must be a number from 1.");
    toIdempotencyKey(keyOf(options, maxSteps, []));
    this.#completions = completions;
    this.#tools = tools;
    this.#params = { ...params, messages: [...params.messages], tools: toToolParams(tools) };
    this.#options = options;
    this.#maxSteps = maxSteps;
    this.#messages = [...params.messages];
  }

  /**
   * The talk so far: the request's messages, the agent's calls with what came of them, its answer. At any time it can be
   * sent again: a call is in it only with its result.
   */
  get messages(): Messages {
    return [...this.#messages];
  }

  /** The id of the completion of the step under way, or of the last one. `null` before the first has begun. */
  get runId(): string | null {
    return this.#stream?.runId ?? null;
  }

  /** The same of the request's id, by which the gateway's log at level debug names it. */
  get requestId(): string | null {
    return this.#stream?.requestId ?? null;
  }

  /** The session the talk belongs to, decoded. `null` without one, and before the first step has begun. */
  get sessionKey(): string | null {
    return this.#stream?.sessionKey ?? null;
  }

  /**
   * Calls the listener each time this happens while somebody reads the run, in a loop or by `final()` or `text()`. What a
   * listener throws ends the run, and is what its reader gets.
   */
  on<Name extends keyof ToolRunEvents>(event: Name, listener: (...args: ToolRunEvents[Name]) => void): this {
    const isFirst = !this.#listeners.has(event);
    this.#listeners.on(event, listener);
    if (isFirst && this.#stream) this.#forward(this.#stream, [event]);
    return this;
  }

  /** @throws OpenClawError the second time: what has been read is gone. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    return this.#reading.chunks();
  }

  /**
   * Reads to the end and gives the last step's completion: the answer. May be called again, and after or beside a loop.
   * Its `usage` is that step's; listen to `usage` for all of them.
   *
   * @throws OpenClawError when the agent still calls tools after `maxSteps`; `partial` is what it said then
   * @throws AbortError when the run was aborted or the loop left
   * @throws what a stream throws, in any step
   */
  final(): Promise<ChatCompletion> {
    return this.#reading.final();
  }

  /** Reads to the end and gives the answer's text, empty when it has none. Throws what `final()` throws. */
  text(): Promise<string> {
    return this.#reading.text();
  }

  /**
   * The run as the event stream of one answer, to pass it on from a server of one's own to a page, as of a stream: the
   * texts of all steps, what the agent does by itself, and the end of the last step. Calls and results are not in it.
   *
   * @example
   * ```ts
   * return new Response(run.toReadableStream(), { headers: { "content-type": "text/event-stream" } });
   * ```
   * @throws OpenClawError when the run has been read
   */
  toReadableStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return toEventStream(joinSteps(this[Symbol.asyncIterator]()));
  }

  /** Ends the run: whoever reads gets an `AbortError`. Does nothing once the run has ended. */
  abort(): void {
    if (!this.#ended) this.#begin().abort();
  }

  /** Only from here on it listens to the caller's signal: a run that nobody reads leaves nothing behind. */
  #begin(): Attempt {
    if (!this.#scope) {
      this.#scope = createAttempt(this.#options.signal, Number.POSITIVE_INFINITY);
      const { signal } = this.#scope;
      // At once, because nobody may come to read what is over.
      signal.addEventListener("abort", () => this.#fail(signal.reason), { once: true });
      if (signal.aborted) this.#fail(signal.reason);
    }
    return this.#scope;
  }

  #fail(error: unknown): void {
    this.#outcome.reject(error);
    if (this.#ended) return;
    this.#ended = true;
    this.#scope?.release();
  }

  async *#read(): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    const { signal, abort, release, until } = this.#begin();
    try {
      for (let step = 1; ; step++) {
        const stream = await this.#ask(step, signal);
        yield* stream;
        const completion = await stream.final();
        this.#listeners.emit("step", completion);
        signal.throwIfAborted();
        const [choice] = completion.choices;
        const calls = toCalls(choice?.message, this.#messages.length);
        // A call that was cut off by a limit is none.
        if (calls.length === 0 || choice?.finish_reason === "length" || choice?.finish_reason === "content_filter") {
          this.#messages.push(...toAnswer(choice?.message));
          // Before its listeners hear of it: there is nothing left to end.
          this.#ended = true;
          release();
          this.#listeners.emit("end", completion);
          return this.#outcome.resolve(completion);
        }
        if (step >= this.#maxSteps) throw tooManySteps(this.#maxSteps, completion);
        const results = await until(() => Promise.all(calls.map((call) => this.#call(call, signal))));
        this.#messages.push(...toStep(choice?.message, calls, results));
      }
    } catch (error) {
      const failure = signal.aborted ? withPartial(signal.reason, Object(error)) : error;
      this.#fail(failure);
      // For tools that are still at work.
      abort();
      throw failure;
    }
  }

  async #ask(step: number, signal: AbortSignal): Promise<ChatStream> {
    const added = this.#messages.slice(this.#params.messages.length);
    const options: ChatOptions = { ...this.#options, signal, idempotencyKey: keyOf(this.#options, step, added) };
    const params: ChatCompletionParams & { stream: true } = { ...this.#params, messages: this.messages, stream: true };
    // A call that was asked for has been made: asked for again, it would go on for ever.
    if (step > 1 && params.tool_choice !== "none") delete params.tool_choice;
    const stream = await this.#completions.create(params, options);
    // At once: who begins to listen from here on is told by this one.
    this.#stream = stream;
    this.#forward(stream, FORWARDED.filter(this.#listeners.has));
    return stream;
  }

  #forward(stream: ChatStream, events: readonly (keyof ToolRunEvents)[]): void {
    for (const event of FORWARDED) {
      if (!events.includes(event)) continue;
      stream.on(event, (...args: unknown[]) => this.#listeners.emit(event, ...(args as never)));
    }
  }

  async #call(call: ToolCall, signal: AbortSignal): Promise<ToolResult> {
    const result = await callTool(this.#tools, call, signal);
    if (!signal.aborted) this.#listeners.emit("tool-result", result);
    return result;
  }
}

/** What ended the run, with what the step under way had come to. */
function withPartial(reason: object, { partial }: { partial?: unknown }): object {
  return partial ? Object.assign(reason, { partial }) : reason;
}

function tooManySteps(maxSteps: number, partial: ChatCompletion): OpenClawError {
  const error = new OpenClawError(`The agent still calls tools after ${maxSteps} steps.`);
  return Object.assign(error, { partial });
}

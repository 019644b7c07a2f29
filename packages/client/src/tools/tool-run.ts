import type { ChatCompletion, ChatCompletionChunk, Message } from "@openclaw/protocol";
import { createAttempt } from "../attempt.ts";
import type { ChatStream } from "../chat/chat-stream.ts";
import type { ChatCompletions } from "../chat/completions.ts";
import type { ChatCompletionParams, ChatOptions } from "../chat/create.ts";
import { createOutcome } from "../chat/outcome.ts";
import type { StreamEvents } from "../chat/stream-events.ts";
import { OpenClawError } from "../errors.ts";
import { createListeners } from "../listeners.ts";
import { misuse } from "../options.ts";
import { callTool, type ToolResult, type Tools, toToolParams } from "./call-tools.ts";

/** As of `create`, always streamed, with functions in place of their descriptions. */
export interface ToolRunParams extends Omit<ChatCompletionParams, "tools" | "stream"> {
  /**
   * How often the agent may be asked.
   * @defaultValue 10
   */
  maxSteps?: number | undefined;
}

/** Those of each step's stream, and what came of the tools; `end` comes once, with the answer. */
export interface ToolRunEvents extends StreamEvents {
  "tool-result": [result: ToolResult];
}

/** What a step's stream tells. */
const FORWARDED = ["content", "reasoning", "tool-call", "tool-activity", "usage", "resume"] as const;

/**
 * A talk with an agent that calls tools of yours, to be read once: the chunks of all its steps in a loop, or `final()`
 * or `text()`. Leaving the loop, `abort()` or the signal end the step under way; tools are told by their signal.
 */
export class ToolRun implements AsyncIterable<ChatCompletionChunk> {
  readonly #completions: ChatCompletions;
  readonly #tools: Tools;
  readonly #params: ChatCompletionParams;
  readonly #options: ChatOptions;
  readonly #maxSteps: number;
  readonly #messages: Message[];
  readonly #listeners = createListeners<ToolRunEvents>();
  readonly #scope;
  readonly #outcome = createOutcome<ChatCompletion>();
  #started = false;

  /** @internal */
  constructor(
    completions: ChatCompletions,
    { tools, maxSteps = 10, ...params }: ToolRunParams & { tools: Tools },
    options: ChatOptions = {},
  ) {
    if (!(maxSteps >= 1)) misuse("`maxSteps` must be a number from 1.");
    this.#completions = completions;
    this.#tools = tools;
    this.#params = { ...params, tools: toToolParams(tools) };
    this.#options = options;
    this.#maxSteps = maxSteps;
    this.#messages = [...params.messages] as Message[];
    this.#scope = createAttempt(options.signal, Number.POSITIVE_INFINITY);
  }

  /** The talk so far: the request's messages, the agent's calls and answers, the tools' results. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Calls the listener each time this happens while somebody reads the run. */
  on<Name extends keyof ToolRunEvents>(event: Name, listener: (...args: ToolRunEvents[Name]) => void): this {
    this.#listeners.on(event, listener);
    return this;
  }

  /** @throws OpenClawError the second time: what has been read is gone. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    if (this.#started) misuse("This run has been read. Its answer is in `final()` and `text()`.");
    this.#started = true;
    const chunks = this.#read();
    const leave = chunks.return.bind(chunks);
    chunks.return = (value) => {
      this.abort();
      return leave(value);
    };
    return chunks;
  }

  /**
   * Reads to the end and gives the last step's completion: the answer. May be called again, and after or beside a loop.
   *
   * @throws OpenClawError when the agent still calls tools after `maxSteps`; what a stream throws
   */
  async final(): Promise<ChatCompletion> {
    if (!this.#started) {
      const chunks = this[Symbol.asyncIterator]();
      while (!(await chunks.next()).done);
    }
    return this.#outcome.promise;
  }

  /** Reads to the end and gives the answer's text, empty when it has none. Throws what `final()` throws. */
  async text(): Promise<string> {
    const { choices } = await this.final();
    return choices[0]?.message.content ?? "";
  }

  /** Ends the run: whoever reads gets an `AbortError`. */
  abort(): void {
    this.#scope.abort();
  }

  async *#read(): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    try {
      for (let step = 1; ; step++) {
        const stream = await this.#ask(step);
        yield* stream;
        const completion = await stream.final();
        const choice = completion.choices[0];
        const calls = choice?.message.tool_calls ?? [];
        if (choice) this.#messages.push(choice.message as Message);
        // A call that was cut off by a limit is none.
        if (calls.length === 0 || choice?.finish_reason === "length" || choice?.finish_reason === "content_filter") {
          this.#listeners.emit("end", completion);
          this.#outcome.resolve(completion);
          return;
        }
        if (step >= this.#maxSteps) throw tooManySteps(this.#maxSteps, completion);
        await this.#callAll(calls);
      }
    } catch (error) {
      this.#outcome.reject(error);
      throw error;
    } finally {
      this.#scope.release();
    }
  }

  async #ask(step: number): Promise<ChatStream> {
    const { idempotencyKey } = this.#options;
    const options: ChatOptions = { ...this.#options, signal: this.#scope.signal };
    // Each step is a request of its own.
    if (idempotencyKey && step > 1) options.idempotencyKey = `${idempotencyKey}:${step}`;
    const params: ChatCompletionParams & { stream: true } = {
      ...this.#params,
      messages: [...this.#messages] as ChatCompletionParams["messages"],
      stream: true,
    };
    // A call that was asked for has been made: asked for again, it would go on for ever.
    if (step > 1 && params.tool_choice !== "none") delete params.tool_choice;
    const stream = await this.#completions.create(params, options);
    const { emit, has } = this.#listeners;
    for (const event of FORWARDED) {
      if (has(event)) stream.on(event, (...args: unknown[]) => emit(event, ...(args as never)));
    }
    return stream;
  }

  async #callAll(calls: NonNullable<ChatCompletion["choices"][number]["message"]["tool_calls"]>): Promise<void> {
    const { signal, until } = this.#scope;
    const results = await until(() => Promise.all(calls.map((call) => callTool(this.#tools, call, signal))));
    for (const result of results) {
      this.#messages.push({ role: "tool", tool_call_id: result.id, content: result.content });
      this.#listeners.emit("tool-result", result);
    }
  }
}

function tooManySteps(maxSteps: number, partial: ChatCompletion): OpenClawError {
  const error = new OpenClawError(`The agent still calls tools after ${maxSteps} steps.`);
  return Object.assign(error, { partial });
}

import type { FinishReason, Usage } from "@openclaw/protocol";
import type { RunEvent, StepEvent } from "../chat/run-event.ts";
import { type Answer, createAnswer, gather } from "../chat/to-completion.ts";
import { addUsage } from "../chat/usage.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Steps } from "./steps.ts";

/**
 * Where a run's events go. Called synchronously, with the events that came together. Must not throw. A returned
 * promise says that the sink is full and settles when it is not, or when the sink is gone.
 */
export type RunSink = (events: readonly RunEvent[]) => Promise<void> | undefined;

/** How a run ended. */
export interface RunResult {
  /** Without text and reasoning where the run was stateless and streamed: its watcher has them. */
  answer: Answer;
  usage: Usage | undefined;
  finishReason: FinishReason | undefined;
  /** Set when the run did not reach its end. */
  error: GatewayError | undefined;
}

/**
 * A run, live: who watches it, what it said so far, and how to end it.
 *
 * Its events are one `run-start`, deltas, and exactly one `run-end` or `run-error`; a run that is refused or stopped
 * before it began has only the `run-error`. The error is never thrown at a watcher.
 */
export class Run {
  readonly id: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly #controller = new AbortController();
  readonly #sinks = new Set<RunSink>();
  #observers: Set<(events: readonly RunEvent[]) => void> | undefined;
  readonly #answer = createAnswer();
  readonly #settle: (result: RunResult) => void;
  /** Settles with the end of the run; never rejects. */
  readonly result: Promise<RunResult>;
  readonly #keepsText: boolean;
  readonly #steps = new Steps();
  #usage: Usage | undefined;
  #firstEventAt: number | undefined;
  #begun = false;
  #ended = false;
  #sealed = false;
  #toolStarted = false;

  /** @param keepsText whether {@link RunResult.answer} holds what was said, or only its tool calls */
  constructor(id: string, created: number, keepsText: boolean) {
    this.id = id;
    this.created = created;
    this.#keepsText = keepsText;
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    this.result = promise;
    this.#settle = resolve;
  }

  /** Aborts when the run is to stop: every await under it honours this one signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether its turn has come: before, it waits for its session or for a place. */
  get begun(): boolean {
    return this.#begun;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get answer(): Answer {
    return this.#answer;
  }

  /** The agent's own steps so far. */
  get steps(): readonly StepEvent["message"][] {
    return this.#steps.kept;
  }

  get usage(): Usage | undefined {
    return this.#usage;
  }

  /** Watches from the next event on. Returns the function that stops watching. */
  subscribe(sink: RunSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  /**
   * Reads along from the next event on, without being waited for. Ends by itself with the run.
   * @param observer must not throw
   */
  observe(observer: (events: readonly RunEvent[]) => void): () => void {
    this.#observers ??= new Set();
    this.#observers.add(observer);
    return () => this.#observers?.delete(observer);
  }

  /** The agent has ended and its answer is being kept: from here on the run cannot be aborted, only fail. */
  seal(): void {
    this.#sealed = true;
  }

  /** Whether it can still be aborted. */
  get abortable(): boolean {
    return !this.#ended && !this.#sealed;
  }

  /** Ends the run now, with this error. What it said so far stays. */
  abort(error: GatewayError): void {
    if (!this.abortable) return;
    this.#controller.abort(error);
    this.fail(error);
  }

  /** When the agent said its first word, by `performance.now()`. */
  get firstEventAt(): number | undefined {
    return this.#firstEventAt;
  }

  /** Passes events on. A promise is returned only when the single watcher is full: then the agent is to wait too. */
  emit(events: readonly RunEvent[]): Promise<void> | undefined {
    if (this.#ended || events.length === 0) return undefined;
    if (events[0]?.type !== "run-start") this.#firstEventAt ??= performance.now();
    else this.#begun = true;
    for (const event of events) {
      if (this.#keepsText || (event.type !== "text-delta" && event.type !== "reasoning-delta")) {
        gather(this.#answer, event);
      }
      if (event.type === "usage") this.#usage = addUsage(this.#usage, event.usage);
      else if (event.type === "step") this.#steps.add(event.message);
      else if (event.type === "tool-start") this.#toolStarted = true;
    }
    return this.#send(events);
  }

  end(finishReason: FinishReason): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#send([{ type: "run-end", finishReason, ...(this.#usage && { usage: this.#usage }) }]);
    this.#finish(finishReason, undefined);
  }

  /** The error as it is told: once a tool has acted, doing it all again is not safe. */
  toFinal(error: GatewayError): GatewayError {
    return this.#toolStarted ? withoutRetry(error) : error;
  }

  fail(cause: GatewayError): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = this.toFinal(cause);
    void this.#send([{ type: "run-error", error }]);
    this.#finish(undefined, error);
  }

  #send(events: readonly RunEvent[]): Promise<void> | undefined {
    let full: Promise<void> | undefined;
    for (const sink of this.#sinks) full = sink(events) ?? full;
    if (this.#observers) for (const observer of this.#observers) observer(events);
    return this.#sinks.size === 1 ? full : undefined;
  }

  #finish(finishReason: FinishReason | undefined, error: GatewayError | undefined): void {
    this.#sinks.clear();
    this.#observers = undefined;
    this.#settle({ answer: this.#answer, usage: this.#usage, finishReason, error });
  }
}

function withoutRetry(error: GatewayError): GatewayError {
  const { code, message, status, retryAfter, cause } = error;
  return new GatewayError(code, message, { status, retryAfter, cause, retry: false, param: error.param ?? undefined });
}

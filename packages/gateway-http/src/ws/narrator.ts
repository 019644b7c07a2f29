import type { RunEvent } from "../chat/run-event.ts";
import type { Run } from "../runs/run.ts";
import type { RunRequest } from "../runs/run-request.ts";
import type { FanOut } from "./fan-out.ts";
import type { News } from "./news.ts";
import { sessionIdOf } from "./rows.ts";
import { toUsage } from "./run-words.ts";
import { Tellings, type TellingsOptions } from "./tellings.ts";
import { ToolCalls } from "./tool-calls.ts";

export interface NarratorOptions {
  news: News;
  fanOut: FanOut;
  paceOf: TellingsOptions["paceOf"];
  onBug(error: unknown, context: { runId: string }): void;
}

/** Tells clients of one run, from its beginning to its end. */
export class Narrator {
  /** Settles when all has been told. */
  readonly done: Promise<void>;
  readonly session: RunRequest["session"];
  /** To whom it is told. */
  readonly tellings: Tellings;
  readonly #run: Run;
  readonly #options: NarratorOptions;
  readonly #toolCalls: ToolCalls;
  readonly #finish: () => void;
  /** What came while the beginning is being told. */
  #waiting: RunEvent[] | undefined;
  /** Settles when that has been told, too. */
  #beginning: Promise<void> | undefined;
  #text: string;
  #startedAt: number | undefined;

  constructor(run: Run, { session, agent }: RunRequest, options: NarratorOptions) {
    const { owner, key: sessionKey } = session;
    const { fanOut, paceOf } = options;
    this.#run = run;
    this.session = session;
    this.#options = options;
    this.#text = run.answer.text || run.answer.refusal;
    const about = { runId: run.id, sessionKey, agentId: agent.id, sessionId: sessionIdOf(session), owner };
    this.tellings = new Tellings({ about, session, fanOut, paceOf, textOf: () => this.#text });
    this.#toolCalls = new ToolCalls(run.steps);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    run.observe((events) => {
      for (const event of events) {
        if (this.#waiting) this.#waiting.push(event);
        else if (event.type === "run-start") this.#begin(event);
        else this.#tell(event);
      }
    });
  }

  /**
   * Tells now what was said so far.
   * @returns what that waits for: never rejects
   */
  catchUp(): Promise<void> | undefined {
    if (this.#beginning) return this.#beginning.then(() => this.tellings.flush());
    this.tellings.flush();
    return undefined;
  }

  /** That a run begins in a session is told before all that it says. */
  #begin(event: RunEvent): void {
    const told = this.#changed("start");
    if (!told) {
      this.#tell(event);
      return;
    }
    const waiting = [event];
    this.#waiting = waiting;
    this.#beginning = told.then(() => {
      this.#beginning = undefined;
      this.#waiting = undefined;
      for (const event of waiting) this.#tell(event);
    });
  }

  #tell(event: RunEvent): void {
    try {
      this.#one(event);
    } catch (error) {
      // A run is not to be broken by who only tells of it.
      this.#options.onBug(error, { runId: this.#run.id });
    }
    if (event.type === "run-end") this.#close("end");
    else if (event.type === "run-error") this.#close(event.error.code === "run_aborted" ? "end" : "error");
  }

  #one(event: RunEvent): void {
    const { tellings } = this;
    switch (event.type) {
      case "run-start":
        this.#startedAt = Date.now();
        for (const telling of tellings) telling.begin(this.#startedAt);
        break;
      case "text-delta":
      case "refusal-delta":
        this.#text += event.text;
        for (const telling of tellings) telling.more();
        break;
      case "run-end":
        for (const telling of tellings) telling.end(this.#times(), event.finishReason, toUsage(this.#run.usage));
        break;
      case "run-error":
        for (const telling of tellings) telling.fail(this.#times(), event.error);
        break;
      default: {
        const used = this.#toolCalls.take(event);
        if (used) for (const telling of tellings) telling.tool(used);
      }
    }
  }

  #times(): { startedAt?: number; endedAt: number } {
    const startedAt = this.#startedAt;
    return { ...(startedAt !== undefined && { startedAt }), endedAt: Date.now() };
  }

  #close(phase: "end" | "error"): void {
    const told = this.#changed(phase);
    if (told) void told.then(this.#finish);
    else this.#finish();
  }

  /** @returns `undefined` when nobody hears of it; else never rejects */
  #changed(phase: "start" | "end" | "error"): Promise<void> | undefined {
    if (this.session.stateless) return undefined;
    return this.#options.news.changed(this.session, { phase, runId: this.#run.id });
  }
}

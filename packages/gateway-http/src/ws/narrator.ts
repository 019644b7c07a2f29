import { parseJsonObject } from "../chat/json-object.ts";
import type { RunEvent, StepEvent } from "../chat/run-event.ts";
import { textOf } from "../chat/turn.ts";
import type { Run } from "../runs/run.ts";
import type { RunRequest } from "../runs/run-request.ts";
import type { Connection } from "./connection.ts";
import type { FanOut } from "./fan-out.ts";
import { isNear, mayHear } from "./hub.ts";
import type { News } from "./news.ts";
import { sessionIdOf } from "./rows.ts";
import { toUsage } from "./run-words.ts";
import { type About, Telling } from "./telling.ts";

export interface NarratorOptions {
  news: News;
  /** For those who look on. */
  fanOut: FanOut;
  /** Milliseconds between two pieces of text for this many who look on. */
  paceOf(lookingOn: number): number;
  onBug(error: unknown, context: { runId: string }): void;
}

/** Tells clients of one run, from its beginning to its end. */
export class Narrator {
  /** Settles when all has been told. */
  readonly done: Promise<void>;
  readonly #run: Run;
  readonly #session: RunRequest["session"];
  readonly #about: About;
  readonly #options: NarratorOptions;
  /** Those who use the session hear of it at once; those who only could, less often; each with tools or without. */
  readonly #tellings = new Map<string, Telling>();
  readonly #counter = { highest: 0 };
  /** The agent's own calls, by id. */
  readonly #calls = new Map<string, { name: string; arguments: string }>();
  /** Names of tools without a step, by id. */
  readonly #bare = new Map<string, string>();
  /** Ids of those that failed. */
  readonly #failed = new Set<string>();
  readonly #finish: () => void;
  /** What came while the beginning is being told. */
  #waiting: RunEvent[] | undefined;
  #text: string;
  #startedAt: number | undefined;

  constructor(run: Run, { session, agent }: RunRequest, options: NarratorOptions) {
    const { owner, key: sessionKey } = session;
    this.#run = run;
    this.#session = session;
    this.#options = options;
    this.#about = { runId: run.id, sessionKey, agentId: agent.id, sessionId: sessionIdOf(session), owner };
    this.#text = run.answer.text || run.answer.refusal;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    run.observe((events) => {
      if (this.#waiting) this.#waiting.push(...events);
      else this.#tell(events);
    });
  }

  get session(): RunRequest["session"] {
    return this.#session;
  }

  /** Takes a client among those who hear of the run, or out of them, as it may and wants to hear now. */
  place(connection: Connection): void {
    const { key } = this.#session;
    const wants = !connection.caps.has("session-scoped-events") || connection.messagesOf.has(key);
    const telling = wants && mayHear(connection, this.#session) ? this.#tellingOf(connection) : undefined;
    if (telling?.members.has(connection)) return;
    // Who comes later goes on from the others' numbers: it may be one of them, connected again.
    let seq = this.#counter.highest;
    for (const other of this.#tellings.values()) {
      if (!other.members.has(connection)) continue;
      // It is to hear nothing twice, and all in its own numbers.
      other.flush();
      telling?.flush();
      seq = other.members.get(connection) ?? seq;
      other.members.delete(connection);
    }
    telling?.members.set(connection, seq);
  }

  remove(connection: Connection): void {
    for (const { members } of this.#tellings.values()) members.delete(connection);
  }

  /** Tells now what was said so far. */
  flush(): void {
    for (const telling of this.#tellings.values()) telling.flush();
  }

  #tellingOf(connection: Connection): Telling {
    const hasTools = connection.caps.has("tool-events");
    const uses = isNear(connection, this.#session);
    const id = `${uses} ${hasTools}`;
    const known = this.#tellings.get(id);
    if (known) return known;
    const { fanOut, paceOf } = this.#options;
    const textOf = () => this.#text;
    const made = new Telling({
      ...{ about: this.#about, counter: this.#counter, hasTools, textOf },
      ...(!uses && { lookOn: { fanOut, paceOf } }),
    });
    this.#tellings.set(id, made);
    return made;
  }

  #tell(events: readonly RunEvent[]): void {
    try {
      for (const [index, event] of events.entries()) {
        const told = event.type === "run-start" ? this.#changed("start") : undefined;
        if (told) {
          this.#tellAfter(told, events.slice(index));
          return;
        }
        this.#one(event);
      }
    } catch (error) {
      // A run is not to be broken by who only tells of it.
      this.#options.onBug(error, { runId: this.#run.id });
      this.#finish();
    }
  }

  /** That a run begins in a session is told before all that it says. */
  #tellAfter(told: Promise<void>, [begin, ...more]: RunEvent[]): void {
    this.#waiting = more;
    void told.then(() => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      this.#one(begin as RunEvent);
      this.#tell(waiting);
    });
  }

  #one(event: RunEvent): void {
    switch (event.type) {
      case "run-start":
        this.#startedAt = Date.now();
        for (const telling of this.#tellings.values()) telling.begin(this.#startedAt);
        break;
      case "text-delta":
      case "refusal-delta":
        this.#text += event.text;
        for (const telling of this.#tellings.values()) telling.more();
        break;
      case "step":
        this.#step(event.message);
        break;
      case "tool-start": {
        const { id: toolCallId, name } = event;
        const call = this.#calls.get(toolCallId);
        // An agent of code may tell of tools without the steps that they are.
        if (!call) this.#bare.set(toolCallId, name);
        this.#tool({ phase: "start", name, toolCallId, args: (call && parseJsonObject(call.arguments)) ?? {} });
        break;
      }
      case "tool-end": {
        const { id: toolCallId, ok } = event;
        const name = this.#bare.get(toolCallId);
        if (name !== undefined)
          this.#tool({ phase: "result", name, toolCallId, result: { content: [] }, isError: !ok });
        else if (!ok) this.#failed.add(toolCallId);
        break;
      }
      case "run-end":
        for (const telling of this.#tellings.values()) {
          telling.end(this.#times(), event.finishReason, toUsage(this.#run.usage));
        }
        this.#close("end");
        break;
      case "run-error":
        for (const telling of this.#tellings.values()) telling.fail(this.#times(), event.error);
        this.#close(event.error.code === "run_aborted" ? "end" : "error");
        break;
    }
  }

  #times(): { startedAt?: number; endedAt: number } {
    const startedAt = this.#startedAt;
    return { ...(startedAt !== undefined && { startedAt }), endedAt: Date.now() };
  }

  /** Calls come before their tools start, results when they have ended. */
  #step(message: StepEvent["message"]): void {
    if (message.role === "assistant") {
      for (const call of message.tool_calls ?? [])
        if (call.type === "function") this.#calls.set(call.id, call.function);
      return;
    }
    const toolCallId = message.tool_call_id;
    const name = this.#calls.get(toolCallId)?.name ?? "";
    const result = { content: [{ type: "text", text: textOf(message.content) }] };
    this.#tool({ phase: "result", name, toolCallId, result, isError: this.#failed.has(toolCallId) });
  }

  #tool(data: Record<string, unknown>): void {
    for (const telling of this.#tellings.values()) telling.tool(data);
  }

  #close(phase: "end" | "error"): void {
    const told = this.#changed(phase);
    if (told) void told.then(this.#finish);
    else this.#finish();
  }

  /** @returns `undefined` when nobody hears of it; else never rejects */
  #changed(phase: "start" | "end" | "error"): Promise<void> | undefined {
    if (this.#session.stateless) return undefined;
    return this.#options.news.changed(this.#session, { phase, runId: this.#run.id });
  }
}

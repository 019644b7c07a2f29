import { parseJsonObject } from "../chat/json-object.ts";
import type { RunEvent, StepEvent } from "../chat/run-event.ts";
import { textOf } from "../chat/turn.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { Run } from "../runs/run.ts";
import type { RunRequest } from "../runs/run-request.ts";
import type { Connection } from "./connection.ts";
import { mayHear } from "./hub.ts";
import type { News } from "./news.ts";
import { sessionIdOf } from "./rows.ts";
import { toErrorKind, toUsage } from "./run-words.ts";
import { type About, Telling, toMessage } from "./telling.ts";

export interface NarratorOptions {
  news: News;
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
  /** Those who use the session hear of it at once; those who could, less often; each with tools or without. */
  readonly #tellings = new Map<string, Telling>();
  /** The agent's own, by id. */
  readonly #calls = new Map<string, { name: string; arguments: string }>();
  /** Whether those that have ended worked. */
  readonly #outcomes = new Map<string, boolean>();
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
    this.#text = run.answer.text;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    run.observe((events) => {
      try {
        if (this.#waiting) this.#waiting.push(...events);
        else this.#tell(events);
      } catch (error) {
        // A run is nobody's to break who only tells of it.
        options.onBug(error, { runId: run.id });
      }
    });
  }

  get session(): RunRequest["session"] {
    return this.#session;
  }

  /** Takes a client among those who hear of the run, or out of them, as it may and wants to hear now. */
  place(connection: Connection): void {
    const { key, owner } = this.#session;
    const wants = !connection.caps.has("session-scoped-events") || connection.messagesOf.has(key);
    const isNear = connection.caller.owner === owner && connection.uses(key);
    const telling = wants && mayHear(connection, this.#session) ? this.#telling(isNear, connection) : undefined;
    for (const other of this.#tellings.values()) if (other !== telling) other.members.delete(connection);
    telling?.members.add(connection);
  }

  remove(connection: Connection): void {
    for (const { members } of this.#tellings.values()) members.delete(connection);
  }

  #telling(isNear: boolean, { caps }: Connection): Telling {
    const hasTools = caps.has("tool-events");
    const id = `${isNear} ${hasTools}`;
    const known = this.#tellings.get(id);
    if (known) return known;
    const made: Telling = new Telling(this.#about, hasTools, () =>
      isNear ? 0 : this.#options.paceOf(made.members.size),
    );
    this.#tellings.set(id, made);
    return made;
  }

  #tell(events: readonly RunEvent[]): void {
    for (const [index, event] of events.entries()) {
      if (event.type === "run-start" && !this.#session.stateless) {
        const { runId } = this.#about;
        const told = this.#options.news.changed(this.#session, { phase: "start", runId });
        if (told) {
          this.#waiting = [...events.slice(index + 1)];
          const goOn = () => {
            this.#begin();
            const waiting = this.#waiting ?? [];
            this.#waiting = undefined;
            this.#tell(waiting);
          };
          void told.then(goOn, goOn);
          return;
        }
      }
      this.#one(event);
    }
  }

  #one(event: RunEvent): void {
    switch (event.type) {
      case "run-start":
        return this.#begin();
      case "text-delta":
      case "refusal-delta":
        this.#text += event.text;
        for (const telling of this.#tellings.values()) telling.more(this.#readText);
        return;
      case "step":
        return this.#step(event.message);
      case "tool-start": {
        const call = this.#calls.get(event.id);
        const args = call ? (parseJsonObject(call.arguments) ?? {}) : {};
        return this.#tool({ phase: "start", name: event.name, toolCallId: event.id, args });
      }
      case "tool-end":
        this.#outcomes.set(event.id, event.ok);
        return;
      case "run-end":
        return this.#end(event.finishReason);
      case "run-error":
        return this.#fail(event.error);
    }
  }

  readonly #readText = (): string => this.#text;

  #begin(): void {
    this.#startedAt = Date.now();
    for (const telling of this.#tellings.values()) {
      telling.agent("lifecycle", { phase: "start", startedAt: this.#startedAt });
    }
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
    this.#tool({ phase: "result", name, toolCallId, result, isError: this.#outcomes.get(toolCallId) === false });
  }

  #tool(data: Record<string, unknown>): void {
    for (const telling of this.#tellings.values()) {
      if (!telling.hasTools) continue;
      telling.flush(this.#text);
      telling.agent("tool", data);
    }
  }

  #end(finishReason: string): void {
    const endedAt = Date.now();
    const usage = toUsage(this.#run.usage);
    for (const telling of this.#tellings.values()) {
      telling.flush(this.#text);
      const stopReason = finishReason;
      telling.agent("lifecycle", { phase: "end", startedAt: this.#startedAt, endedAt, aborted: false, stopReason });
      telling.chat({
        state: "final",
        stopReason,
        ...(this.#text !== "" && { message: toMessage(this.#text) }),
        ...(usage && { usage }),
      });
    }
    this.#close("end");
  }

  #fail(error: GatewayError): void {
    const endedAt = Date.now();
    const message = this.#text === "" ? {} : { message: toMessage(this.#text) };
    const times = { ...(this.#startedAt !== undefined && { startedAt: this.#startedAt }), endedAt };
    const isAborted = error.code === "run_aborted";
    for (const telling of this.#tellings.values()) {
      telling.flush(this.#text);
      if (isAborted) {
        telling.agent("lifecycle", { phase: "end", status: "cancelled", aborted: true, stopReason: "rpc", ...times });
        telling.chat({ state: "aborted", stopReason: "rpc", ...message });
      } else {
        telling.agent("lifecycle", { phase: "error", ...times, error: error.message });
        telling.chat({ state: "error", errorMessage: error.message, errorKind: toErrorKind(error.code), ...message });
      }
    }
    this.#close(isAborted ? "end" : "error");
  }

  #close(phase: "end" | "error"): void {
    const { runId } = this.#about;
    const told = this.#session.stateless ? undefined : this.#options.news.changed(this.#session, { phase, runId });
    if (told) void told.then(this.#finish, this.#finish);
    else this.#finish();
  }
}

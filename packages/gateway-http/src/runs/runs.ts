import { GatewayError } from "../errors/gateway-error.ts";
import type { SessionRef } from "../sessions/store.ts";
import type { Run } from "./run.ts";
import type { RunRequest } from "./run-request.ts";
import { type RunContext, startRun } from "./start-run.ts";

/** Runs that are remembered after their end, so that ending one a little late is no error. */
const MAX_ENDED = 1000;

/** One line of the log for each run. No word of what was said is in it. */
export interface RunSummary {
  runId: string;
  agent: string;
  stream: boolean;
  stateless: boolean;
  /** `stop`, `length`, `tool_calls`, `content_filter`, or the code of the error that ended it. */
  ended: string;
  /** The model that was asked last, `provider/model`; absent where it said nothing, or the agent does not say. */
  model?: string;
  /** It was not the agent's first choice. */
  fallback?: true;
  /** Milliseconds from the request to the agent's first event; absent when it said nothing. */
  firstTokenMs?: number;
  /** Milliseconds. */
  ms: number;
  promptTokens?: number;
  completionTokens?: number;
}

/** All runs of a gateway. */
export interface Runs {
  /** @throws GatewayError 503 `gateway_draining` */
  start(request: RunRequest): Run;
  readonly active: number;
  /** A run under way, or `ended` for one of the last that were; `undefined` for no run of this owner's. */
  find(id: string, owner: string): Run | "ended" | undefined;
  /** The run under way in a session: the one that came first, when others wait. */
  findInSession(session: SessionRef): Run | undefined;
  readonly draining: boolean;
  /** Starts no new run, waits for those under way, ends the rest after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
}

/** @param onEnd told of every run that ended, and the error of one that failed */
export function createRuns(
  context: RunContext,
  onEnd: (summary: RunSummary, error: GatewayError | undefined) => void,
): Runs {
  const active = new Map<Run, RunRequest>();
  /** Owners of the last runs, by id. A Map keeps the order of insertion, so the first is the oldest. */
  const ended = new Map<string, string>();
  let draining = false;

  return {
    start(request) {
      if (draining) throw drainingError();
      const startedAt = performance.now();
      const run = startRun(request, context);
      active.set(run, request);
      void run.result.then((result) => {
        const { model } = result.answer;
        active.delete(run);
        ended.set(run.id, request.session.owner);
        if (ended.size > MAX_ENDED) ended.delete(ended.keys().next().value as string);
        onEnd(
          {
            runId: run.id,
            agent: request.agent.id,
            stream: request.turn.stream,
            stateless: request.session.stateless,
            ended: result.error?.code ?? result.finishReason ?? "stop",
            ...(model && { model: model.model, ...(model.fallback && { fallback: true }) }),
            ...(run.firstEventAt !== undefined && { firstTokenMs: round(run.firstEventAt - startedAt) }),
            ms: round(performance.now() - startedAt),
            ...(result.usage && {
              promptTokens: result.usage.prompt_tokens,
              completionTokens: result.usage.completion_tokens,
            }),
          },
          result.error,
        );
      });
      return run;
    },
    get active() {
      return active.size;
    },
    find(id, owner) {
      for (const [run, { session }] of active) if (run.id === id) return session.owner === owner ? run : undefined;
      return ended.get(id) === owner ? "ended" : undefined;
    },
    findInSession({ owner, key }) {
      for (const [run, { session }] of active) {
        if (session.key === key && session.owner === owner && !session.stateless) return run;
      }
      return undefined;
    },
    get draining() {
      return draining;
    },
    async drain(timeoutMs) {
      draining = true;
      const timer = setTimeout(() => {
        for (const run of active.keys()) run.abort(drainingError());
      }, timeoutMs);
      while (active.size > 0) await Promise.all(Array.from(active.keys(), (run) => run.result));
      clearTimeout(timer);
    },
  };
}

export function drainingError(): GatewayError {
  return new GatewayError("gateway_draining", "The gateway is shutting down.", { retryAfter: 5 });
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

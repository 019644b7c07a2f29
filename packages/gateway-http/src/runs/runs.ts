import { GatewayError } from "../errors/gateway-error.ts";
import type { SessionRef } from "../sessions/store.ts";
import type { Run } from "./run.ts";
import type { SessionContext } from "./run-in-session.ts";
import type { RunRequest } from "./run-request.ts";
import { startRun } from "./start-run.ts";

/** One line of the log for each run. No word of what was said is in it. */
export interface RunSummary {
  runId: string;
  agent: string;
  stream: boolean;
  stateless: boolean;
  /** `stop`, `length`, `tool_calls`, `content_filter`, or the code of the error that ended it. */
  ended: string;
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
  /** The run under way in a session, the one that came last when there are several. */
  findInSession(session: SessionRef): Run | undefined;
  readonly draining: boolean;
  /** Starts no new run, waits for those under way, ends the rest after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
}

/** @param onEnd told of every run that ended, and the error of one that failed */
export function createRuns(
  context: SessionContext,
  onEnd: (summary: RunSummary, error: GatewayError | undefined) => void,
): Runs {
  const active = new Map<Run, RunRequest>();
  let draining = false;

  return {
    start(request) {
      if (draining) throw drainingError();
      const startedAt = performance.now();
      const run = startRun(request, context);
      active.set(run, request);
      void run.result.then((result) => {
        active.delete(run);
        onEnd(
          {
            runId: run.id,
            agent: request.agent.id,
            stream: request.turn.stream,
            stateless: request.session.stateless,
            ended: result.error?.code ?? result.finishReason ?? "stop",
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
    findInSession({ owner, key }) {
      let found: Run | undefined;
      for (const [run, { session }] of active) {
        if (session.key === key && session.owner === owner && !session.stateless) found = run;
      }
      return found;
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

function drainingError(): GatewayError {
  return new GatewayError("gateway_draining", "The gateway is shutting down.", { retryAfter: 5 });
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

import { MAX_TIMER_MS } from "../config/duration.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { idOfSession, type SessionRef } from "../sessions/store.ts";
import type { Run, RunResult } from "./run.ts";
import type { RunRequest } from "./run-request.ts";
import { type RunSummary, summarize } from "./run-summary.ts";
import { type RunContext, startRun } from "./start-run.ts";

/** Runs that are remembered after their end, so that ending one a little late is no error. */
const MAX_ENDED = 1000;

const BUSY = "A run is active in this session: abort it, or wait for its end.";

/** A run that is over. Times are Unix time in milliseconds. */
export interface EndedRun {
  readonly owner: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Set when it did not reach its end. */
  readonly error: GatewayError | undefined;
}

/** All runs of a gateway. */
export interface Runs {
  /**
   * @throws GatewayError 503 `gateway_draining`; 429 `rate_limit_exceeded` when the owner has as many runs as
   * `request.limits` lets it; 503 `gateway_overloaded` when no more may wait
   */
  start(request: RunRequest): Run;
  readonly active: number;
  /** Those under way or waiting, in the order in which they came. */
  readonly all: ReadonlyMap<Run, RunRequest>;
  /** A run under way, or one of the last that were; `undefined` for no run of this owner's. */
  find(id: string, owner: string): Run | EndedRun | undefined;
  /** The run under way in a session: the one that came first, when others wait. */
  findInSession(session: SessionRef): Run | undefined;
  /** All of a session, those that wait too. */
  inSession(session: SessionRef): Generator<Run>;
  /**
   * Does to a session what is no run, between its runs: one that has ended and is still being kept is waited for, and
   * those that come meanwhile wait for this.
   * @throws GatewayError 409 `session_busy` while one is under way, or waits
   */
  between<Result>(session: SessionRef, work: () => Promise<Result>): Promise<Result>;
  /** Ends those under way, or waiting, that `why` gives an error for. */
  end(why: (request: RunRequest) => GatewayError | undefined): void;
  readonly draining: boolean;
  /** Starts no new run, waits for those under way, ends the rest after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
}

/**
 * @param onEnd told of every run that ended, and how
 * @param keepsContent whether summaries of runs that start now are to hold what was said
 * @param onBug told what went wrong in telling of a run
 * @param onStart told of every run before it says anything; must not throw
 */
export function createRuns(
  context: RunContext,
  onEnd: (summary: RunSummary, result: RunResult) => void,
  keepsContent: () => boolean = () => false,
  onBug: (error: unknown, context: { runId: string }) => void = () => {},
  onStart?: (run: Run, request: RunRequest) => void,
): Runs {
  const active = new Map<Run, RunRequest>();
  /** A Map keeps the order of insertion, so the first is the oldest. */
  const ended = new Map<string, EndedRun>();
  /** One for good: a new iterator would pass everything that was deleted before it. */
  const oldest = ended.keys();
  let draining = false;

  function* inSession({ owner, key }: SessionRef): Generator<Run> {
    for (const [run, { session }] of active) {
      if (session.key === key && session.owner === owner && !session.stateless) yield run;
    }
  }

  /** By owner too: a caller may choose its runs' ids. Either may have blanks in it, so the length tells them apart. */
  const idOf = (id: string, owner: string) => `${owner.length} ${owner}${id}`;

  function remember({ id }: Run, owner: string, startedAt: number, error: GatewayError | undefined): void {
    const endedAt = Date.now();
    const ms = performance.now() - startedAt;
    ended.set(idOf(id, owner), { owner, startedAt: Math.round(endedAt - ms), endedAt, error });
    if (ended.size > MAX_ENDED) ended.delete(oldest.next().value as string);
  }

  return {
    start(request) {
      if (draining) throw drainingError();
      const leave = context.admission.admit(request);
      const startedAt = performance.now();
      const withContent = keepsContent();
      let run: Run;
      try {
        run = startRun(withContent ? { ...request, needsText: true } : request, context);
      } catch (error) {
        leave();
        throw error;
      }
      active.set(run, request);
      onStart?.(run, request);
      void run.result.then((result) => {
        active.delete(run);
        leave();
        remember(run, request.session.owner, startedAt, result.error);
        try {
          onEnd(summarize({ run, request, result, startedAt, withContent }), result);
        } catch (error) {
          // Nobody waits for this: thrown on, it would end the process, and all other runs with it.
          onBug(error, { runId: run.id });
        }
      });
      return run;
    },
    get active() {
      return active.size;
    },
    all: active,
    find(id, owner) {
      for (const [run, { session }] of active) if (run.id === id && session.owner === owner) return run;
      return ended.get(idOf(id, owner));
    },
    findInSession: (session) => inSession(session).next().value ?? undefined,
    inSession,
    async between(session, work) {
      for (const run of inSession(session)) {
        if (!run.ended) throw new GatewayError("session_busy", BUSY, { param: "key" });
      }
      const leave = await context.lanes.enterBetween(idOfSession(session));
      try {
        return await work();
      } finally {
        leave();
      }
    },
    end(why) {
      for (const [run, request] of active) {
        const error = why(request);
        if (error) run.abort(error);
      }
    },
    get draining() {
      return draining;
    },
    async drain(timeoutMs) {
      draining = true;
      const timer = setTimeout(
        () => {
          for (const run of active.keys()) run.abort(drainingError());
        },
        Math.min(timeoutMs, MAX_TIMER_MS),
      );
      while (active.size > 0) await Promise.all(Array.from(active.keys(), (run) => run.result));
      clearTimeout(timer);
    },
  };
}

export function drainingError(): GatewayError {
  return new GatewayError("gateway_draining", "The gateway is shutting down.", { retryAfter: 5 });
}

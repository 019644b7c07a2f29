import type { RunEvent } from "../chat/run-event.ts";
import type { AnswerRecord, CompletionStore } from "../completions/store.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { AnswerLog, MAX_KEPT, withIds } from "./answer-log.ts";
import type { Run } from "./run.ts";
import type { RunEnd, RunHooks } from "./run-request.ts";

/** A request under an idempotency key. */
export interface KeyedRequest {
  readonly owner: string;
  readonly key: string;
  /** SHA-256 of what is asked; another one under the same key is refused. */
  readonly fingerprint: string;
  readonly stream: boolean;
  readonly sessionKey: string;
}

/** A run that was started, and how its answer is said. */
interface StartedRun {
  run: Run;
  /** The frames of an event of a stream. */
  toFrames(event: RunEvent): string;
  /** The body of an answer that is not streamed. */
  toBody(end: RunEnd): string;
}

export type StartRun = (hooks: RunHooks) => StartedRun;

export interface RecordOptions {
  store: CompletionStore;
  /** Milliseconds a run goes on when nobody watches. */
  resumeWindowMs: number;
  /** Told when the answer is in the store, or when there is nothing worth keeping. */
  onKept(log: AnswerLog): void;
}

/** Starts a run and writes down what it says, so that whoever comes back finds it. */
export function recordRun(request: KeyedRequest, start: StartRun, options: RecordOptions): AnswerLog {
  const { store, resumeWindowMs, onKept } = options;
  let last: string[] = [];
  let isFailureKept = false;
  const { run, toFrames, toBody } = start({
    isKeyed: true,
    async beforeEnd(end) {
      last = request.stream ? framesOf({ type: "run-end", ...end }) : [toBody(end)];
      await keep(toRecord(last));
    },
    async beforeFail(error) {
      if (error.retry === true) return;
      await keepFailure(error);
      isFailureKept = true;
    },
  });
  const log = new AnswerLog({ ...request, runId: run.id });
  const framesOf = (event: RunEvent, from = log.length) => withIds(run.id, toFrames(event), from);
  let hasBegun = false;
  let abandoned: NodeJS.Timeout | undefined;

  log.onWatched = (isWatched) => {
    clearTimeout(abandoned);
    if (isWatched || log.ended) return;
    // Of what is too long to be kept nothing can be read again: nobody can come back to it.
    abandoned = setTimeout(() => run.abort(unwatched()), log.isWhole ? resumeWindowMs : 0);
  };
  run.subscribe((events) => {
    const final = events.at(-1) as RunEvent;
    hasBegun ||= events[0]?.type === "run-start";
    if (final.type === "run-end") end(last);
    else if (final.type === "run-error") fail(final.error);
    else if (request.stream) return log.add(numbered(events));
    return undefined;
  });
  return log;

  function numbered(events: readonly RunEvent[]): string[] {
    const frames: string[] = [];
    for (const event of events) frames.push(...framesOf(event, log.length + frames.length));
    return frames;
  }

  function end(frames: readonly string[], error?: GatewayError): void {
    clearTimeout(abandoned);
    log.end(frames, error);
    onKept(log);
  }

  function fail(error: GatewayError): void {
    // A refusal before it began leaves nothing behind, and what may be tried again is for whoever was in the midst of it.
    if (!hasBegun) {
      end([], error);
      return;
    }
    const frames = request.stream ? framesOf({ type: "run-error", error }) : [];
    clearTimeout(abandoned);
    log.end(frames, error);
    if (error.retry === true || !log.isWhole) {
      setTimeout(onKept, resumeWindowMs, log).unref();
      return;
    }
    const kept = isFailureKept ? Promise.resolve() : keepFailure(error);
    void kept.catch(() => {}).then(() => onKept(log));
  }

  function keepFailure(error: GatewayError): Promise<void> {
    const { code, message, status, param } = error;
    const frames = request.stream && !log.ended ? framesOf({ type: "run-error", error }) : [];
    return keep({ ...toRecord(frames), error: { code, message, status, param } });
  }

  async function keep(record: AnswerRecord): Promise<void> {
    if (log.isWhole && record.body.length <= MAX_KEPT) await store.putRecord(record);
  }

  function toRecord(frames: readonly string[]): AnswerRecord {
    return { ...request, runId: run.id, at: Date.now(), body: log.from(0).frames + frames.join("") };
  }
}

function unwatched(): GatewayError {
  return new GatewayError("run_aborted", "Nobody came back for the answer.");
}

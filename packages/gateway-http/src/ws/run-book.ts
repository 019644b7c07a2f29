import type { GatewayError } from "../errors/gateway-error.ts";
import type { Run } from "../runs/run.ts";
import type { BookedRun, Ending, Failure } from "./booked-run.ts";
import { EndedRuns } from "./ended-runs.ts";
import { toUsage } from "./run-words.ts";
import { toSocketError } from "./socket-error.ts";

/** The runs that the socket started, by the ids that clients chose: those under way, and for a while those that ended. */
export class RunBook {
  readonly #running = new Map<string, BookedRun>();
  readonly #ended = new EndedRuns();

  find(owner: string, runId: string): BookedRun | undefined {
    return this.#running.get(idOf(owner, runId)) ?? this.#ended.find(owner, runId);
  }

  add(run: Run, about: Omit<BookedRun, "runId" | "startedAt" | "ending">): BookedRun {
    const booked: BookedRun = { runId: run.id, ...about, startedAt: undefined, ending: undefined };
    const id = idOf(about.session.owner, run.id);
    this.#running.set(id, booked);
    run.observe((events) => {
      if (events[0]?.type === "run-start") booked.startedAt = Date.now();
    });
    void run.result.then(({ answer, usage, finishReason, error }) => {
      const ending: Ending = {
        status: statusOf(error),
        endedAt: Date.now(),
        text: answer.text || answer.refusal,
        error: error && toFailure(error),
        stopReason: finishReason,
        usage: toUsage(usage),
        model: answer.model?.model,
      };
      booked.ending = ending;
      this.#running.delete(id);
      this.#ended.add({ ...booked, ending });
    });
    return booked;
  }
}

function statusOf(error: GatewayError | undefined): Ending["status"] {
  if (!error) return "ok";
  if (error.code === "run_aborted") return "aborted";
  return error.code === "run_timeout" ? "timeout" : "error";
}

function toFailure(error: GatewayError): Failure {
  const { retryable, retryAfterMs } = toSocketError(error).options;
  return { code: error.code, message: error.message, retryable, retryAfterMs };
}

function idOf(owner: string, runId: string): string {
  // Either may have blanks in it.
  return JSON.stringify([owner, runId]);
}

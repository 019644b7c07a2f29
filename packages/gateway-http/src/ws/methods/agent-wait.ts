import type { SocketResult } from "@openclaw/protocol/socket";
import type { RunEvent } from "../../chat/run-event.ts";
import type { Run } from "../../runs/run.ts";
import type { EndedRun, Runs } from "../../runs/runs.ts";
import type { BookedRun } from "../booked-run.ts";
import type { Call, Method } from "../method.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** Longest that a timer waits, in milliseconds. */
const MAX_TIMEOUT_MS = 2_147_483_647;

type Outcome = SocketResult<"agent.wait">;

/** `agent.wait`: waits for the end of a run, whichever door it came through, and never ends it. */
export const agentWait: Method<"agent.wait"> = {
  needs: "chat",
  async run({ runId, timeoutMs = DEFAULT_TIMEOUT_MS }, call) {
    const { runs, connection } = call;
    const over = findOver(runId, call);
    if (over) return over;
    const found = runs.find(runId, connection.caller.owner);
    const run = found && "result" in found ? found : undefined;
    if (run && isBehindAnother(run, runs)) {
      return { runId, status: "pending", timeoutPhase: "queue", providerStarted: false };
    }
    await untilEnd(run, Math.min(timeoutMs, MAX_TIMEOUT_MS), connection.gone);
    // Those who keep how it ended are told before this.
    if (run?.ended) await run.result;
    // One that nobody knew may have come and gone meanwhile.
    return findOver(runId, call) ?? { runId, status: "timeout" };
  },
};

/** Settles with the run, after so many milliseconds, or when nobody waits any more. Leaves nothing behind at the run. */
function untilEnd(run: Run | undefined, ms: number, gone: AbortSignal): Promise<void> {
  if (run?.ended || gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = run?.observe((events) => {
      const { type } = events.at(-1) as RunEvent;
      if (type === "run-end" || type === "run-error") settle();
    });
    const timer = setTimeout(settle, ms).unref();
    gone.addEventListener("abort", settle);
    function settle(): void {
      stop?.();
      clearTimeout(timer);
      gone.removeEventListener("abort", settle);
      resolve();
    }
  });
}

function findOver(runId: string, { book, runs, connection }: Call): Outcome | undefined {
  const { owner } = connection.caller;
  const booked = book.find(owner, runId);
  if (booked) return booked.ending && ofBooked(booked);
  const run = runs.find(runId, owner);
  return run && "endedAt" in run ? ofEnded(runId, run) : undefined;
}

/** It waits for its session, not for a place. */
function isBehindAnother(run: Run, { all, findInSession }: Runs): boolean {
  const session = all.get(run)?.session;
  return !run.begun && session?.stateless === false && findInSession(session) !== run;
}

function ofBooked({ runId, ending, startedAt, acceptedAt }: BookedRun): Outcome {
  const { text, stopReason, endedAt = acceptedAt, error } = ending ?? {};
  const over = ofEnded(runId, { startedAt: startedAt ?? acceptedAt, endedAt, error });
  if (over.status !== "ok") return over;
  return {
    ...over,
    ...(stopReason && { stopReason }),
    ...(text && { terminalReply: { disposition: "visible", text } }),
  };
}

interface Over extends Pick<EndedRun, "startedAt" | "endedAt"> {
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

function ofEnded(runId: string, { startedAt, endedAt, error }: Over): Outcome {
  const times = { startedAt, endedAt };
  if (!error) return { runId, status: "ok", ...times };
  if (error.code === "run_aborted") return { runId, status: "error", error: "aborted", stopReason: "rpc", ...times };
  return { runId, status: error.code === "run_timeout" ? "timeout" : "error", error: error.message, ...times };
}

import { setTimeout as delay } from "node:timers/promises";
import type { SocketResult } from "@openclaw/protocol/socket";
import type { EndedRun } from "../../runs/runs.ts";
import type { Call, Method } from "../method.ts";
import type { BookedRun } from "../run-book.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** Longest that a timer waits, in milliseconds. */
const MAX_TIMEOUT_MS = 2_147_483_647;

type Outcome = SocketResult<"agent.wait">;

/** `agent.wait`: waits for the end of a run, whichever door it came through, and never ends it. */
export const agentWait: Method<"agent.wait"> = {
  needs: "chat",
  async run({ runId, timeoutMs = DEFAULT_TIMEOUT_MS }, call) {
    const { book, runs, connection } = call;
    const { owner } = connection.caller;
    const over = findOver(runId, call);
    if (over) return over;
    const booked = book.find(owner, runId);
    const run = runs.find(runId, owner);
    if (booked && isBehindAnother(booked, call)) {
      return { runId, status: "pending", timeoutPhase: "queue", providerStarted: false };
    }
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, connection.gone]);
    const late = delay(Math.min(timeoutMs, MAX_TIMEOUT_MS), undefined, { signal, ref: false }).catch(() => {});
    await (run && "result" in run ? Promise.race([run.result, late]) : late);
    waiting.abort();
    // One that nobody knew may have come and gone meanwhile.
    return findOver(runId, call) ?? { runId, status: "timeout" };
  },
};

function findOver(runId: string, { book, runs, connection }: Call): Outcome | undefined {
  const { owner } = connection.caller;
  const booked = book.find(owner, runId);
  if (booked) return booked.ending && ofBooked(booked);
  const run = runs.find(runId, owner);
  return run && "endedAt" in run ? ofEnded(runId, run) : undefined;
}

function isBehindAnother({ startedAt, session, run }: BookedRun, { runs }: Call): boolean {
  return startedAt === undefined && runs.findInSession(session) !== run;
}

function ofBooked({ run: { id: runId }, ending, startedAt, acceptedAt }: BookedRun): Outcome {
  const { text, stopReason, endedAt = acceptedAt, error } = ending ?? {};
  const over = ofEnded(runId, { startedAt: startedAt ?? acceptedAt, endedAt, error });
  if (over.status !== "ok") return over;
  return {
    ...over,
    ...(stopReason && { stopReason }),
    ...(text && { terminalReply: { disposition: "visible", text } }),
  };
}

function ofEnded(runId: string, { startedAt, endedAt, error }: Omit<EndedRun, "owner">): Outcome {
  const times = { startedAt, endedAt };
  if (!error) return { runId, status: "ok", ...times };
  if (error.code === "run_aborted") return { runId, status: "error", error: "aborted", stopReason: "rpc", ...times };
  return { runId, status: error.code === "run_timeout" ? "timeout" : "error", error: error.message, ...times };
}

import type { SocketResult } from "@openclaw/protocol/socket";
import type { BookedRun, Failure } from "../booked-run.ts";
import type { Call, Method } from "../method.ts";
import { writableRefOf } from "../session-ref.ts";
import { invalid, SocketError } from "../socket-error.ts";
import { type Asked, fingerprintOf, readMessage, startTurn } from "../start-turn.ts";

/** `chat.send`: says something in a session. The answer comes as events. */
export const chatSend: Method<"chat.send"> = {
  needs: "chat",
  run(params, call) {
    const { connection, agents, book, runs } = call;
    const { sessionKey, agentId, idempotencyKey: runId, attachments = [], thinking, timeoutMs } = params;
    const message = readMessage("chat.send", params.message);
    if (message.trim() === "" && attachments.length === 0) throw invalid("message or attachment required");
    const session = writableRefOf(connection, agents, { key: sessionKey, agentId });
    const asked: Asked = { method: "chat.send", session, runId, message, attachments, thinking, timeoutMs };
    const known = book.find(session.owner, runId);
    if (known) return again(known, asked, call);
    // One that came through another door.
    if (isRunning(runs.find(runId, session.owner))) return { runId, status: "in_flight" };
    startTurn(asked, call);
    // At once: it stands before all that the run says.
    call.respond({ runId, status: "started" } satisfies SocketResult<"chat.send">);
    return undefined;
  },
};

export function isRunning(run: ReturnType<Call["runs"]["find"]>): boolean {
  return run !== undefined && "abortable" in run;
}

/** The same id again: nothing is started. */
function again(known: BookedRun, asked: Asked, call: Call): SocketResult<"chat.send"> | undefined {
  const { runId } = asked;
  if (known.method === "chat.send" && known.fingerprint !== fingerprintOf(asked)) {
    throw invalid(`idempotencyKey ${JSON.stringify(runId.slice(0, 100))} was used for another message`, {
      reason: "chat-request-conflict",
    });
  }
  const { ending } = known;
  if (!ending) return { runId, status: "in_flight" };
  const { status, endedAt, error } = ending;
  if (status === "ok") return { runId, status };
  if (status === "aborted") return { runId, status: "timeout", summary: "aborted", stopReason: "rpc", endedAt };
  const summary = error?.message ?? "failed";
  if (status === "timeout") return { runId, status, summary, stopReason: "timeout", endedAt };
  failAs(call, runId, error);
  return undefined;
}

/** Tells of a run that has failed, as the answer to whoever asked for it. */
export function failAs(call: Call, runId: string, failure: Failure | undefined): void {
  const { code, message = "failed", retryable, retryAfterMs } = failure ?? {};
  const error = new SocketError("UNAVAILABLE", message, { details: { code }, retryable, retryAfterMs });
  call.fail(error, { runId, status: "error", summary: message });
}

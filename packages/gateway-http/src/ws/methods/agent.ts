import type { SocketResult } from "@openclaw/protocol/socket";
import type { Call, Method } from "../method.ts";
import { sessionIdOf } from "../rows.ts";
import type { BookedRun } from "../run-book.ts";
import { MAIN_KEY, writableRefOf } from "../session-ref.ts";
import { invalid, SocketError } from "../socket-error.ts";
import { readMessage, startTurn } from "../start-turn.ts";
import { isRunning } from "./chat-send.ts";

/** `agent`: one turn, answered twice: at once that it was taken, and in the end with what came of it. */
export const agent: Method<"agent"> = {
  needs: "chat",
  async run(params, call) {
    const { connection, agents, book, runs, narrators } = call;
    const { idempotencyKey: runId, attachments = [], extraSystemPrompt, thinking, timeout, model } = params;
    const message = readMessage("agent", params.message);
    if (message.trim() === "" && attachments.length === 0) throw invalid("message or attachment required");
    const agentId = params.agentId?.trim().toLowerCase();
    if (agentId !== undefined && !agents.byId(agentId)) {
      throw invalid(`invalid agent params: unknown agent id ${JSON.stringify(agentId.slice(0, 100))}`);
    }
    const key = params.sessionKey?.trim() || MAIN_KEY;
    const session = writableRefOf(connection, agents, { key, agentId });
    const about = { runId, sessionKey: session.key, agentId: session.agentId };
    const known = book.find(session.owner, runId);
    if (known?.ending) return end(known, call);
    if (known || isRunning(runs.find(runId, session.owner))) return { ...about, status: "in_flight" };
    const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
    const instructions = extraSystemPrompt;
    const booked = startTurn(
      { method: "agent", session, runId, message, attachments, instructions, thinking, model, timeoutMs },
      call,
    );
    const { acceptedAt } = booked;
    call.respond({ ...about, status: "accepted", acceptedAt } satisfies SocketResult<"agent">);
    await booked.run.result;
    // The last word of a run: whoever waits for it has heard all the others.
    await narrators.toldOf(booked.run);
    return end(booked, call);
  },
};

/** What is answered in the end, and to whoever asks the same again. */
function end({ run, session, ending, acceptedAt }: BookedRun, call: Call): SocketResult<"agent"> | undefined {
  const runId = run.id;
  if (!ending) return { runId, sessionKey: session.key, agentId: session.agentId, status: "in_flight" };
  const { status, endedAt, text, error, usage } = ending;
  if (status === "aborted") return { runId, status: "timeout", summary: "aborted", stopReason: "rpc" };
  if (status === "timeout") return { runId, status, summary: "timeout", error: error?.message ?? "timeout" };
  if (status === "error") {
    const summary = error?.message ?? "failed";
    call.fail(new SocketError("UNAVAILABLE", summary, { details: { code: error?.code } }), { runId, status, summary });
    return undefined;
  }
  const slash = ending.model?.indexOf("/") ?? -1;
  const named = slash > 0 && { provider: ending.model?.slice(0, slash), model: ending.model?.slice(slash + 1) };
  return {
    runId,
    status,
    summary: "completed",
    result: {
      payloads: text === "" ? [] : [{ text, mediaUrl: null }],
      meta: {
        durationMs: endedAt - acceptedAt,
        agentMeta: {
          sessionId: sessionIdOf(session),
          ...named,
          ...(usage && { usage: { input: usage.input, output: usage.output, total: usage.totalTokens } }),
        },
      },
    },
  };
}

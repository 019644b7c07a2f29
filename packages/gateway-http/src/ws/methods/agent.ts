import type { SocketResult } from "@openclaw/protocol/socket";
import type { BookedRun } from "../booked-run.ts";
import type { Call, Method } from "../method.ts";
import { sessionIdOf } from "../rows.ts";
import { MAIN_KEY, type NamedSession, writableRefOf } from "../session-ref.ts";
import { invalid } from "../socket-error.ts";
import { readMessage, startTurn } from "../start-turn.ts";
import { sessionOf } from "./chat-abort.ts";
import { failAs, isRunning } from "./chat-send.ts";

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
    const known = book.find(session.owner, runId);
    if (known) return end(known, call);
    // One that came through another door.
    if (isRunning(runs.find(runId, session.owner))) return inFlight(runId, sessionOf(runId, call) ?? session);
    const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
    const instructions = extraSystemPrompt;
    const { run, booked } = startTurn(
      { method: "agent", session, runId, message, attachments, instructions, thinking, model, timeoutMs },
      call,
    );
    const { acceptedAt } = booked;
    const about = { runId, sessionKey: session.key, agentId: session.agentId };
    call.respond({ ...about, status: "accepted", acceptedAt } satisfies SocketResult<"agent">);
    await run.result;
    // The last word of a run: whoever waits for it has heard all the others.
    await narrators.toldOf(run);
    return end(booked, call);
  },
};

/** What is answered in the end, and to whoever asks the same again. */
function end({ runId, session, ending, acceptedAt }: BookedRun, call: Call): SocketResult<"agent"> | undefined {
  if (!ending) return inFlight(runId, session);
  const { status, endedAt, text, error, usage } = ending;
  if (status === "aborted") return { runId, status: "timeout", summary: "aborted", stopReason: "rpc" };
  if (status === "timeout") return { runId, status, summary: "timeout", error: error?.message ?? "timeout" };
  if (status === "error") {
    failAs(call, runId, error);
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

function inFlight(runId: string, { key: sessionKey, agentId }: NamedSession): SocketResult<"agent"> {
  return { runId, sessionKey, agentId, status: "in_flight" };
}

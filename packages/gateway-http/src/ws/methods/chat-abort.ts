import { GatewayError } from "../../errors/gateway-error.ts";
import type { Run } from "../../runs/run.ts";
import type { Call, Method } from "../method.ts";
import { type NamedSession, refOf } from "../session-ref.ts";
import { invalid } from "../socket-error.ts";

/** `chat.abort`: ends a run of a session, or all of them, those that wait too. */
export const chatAbort: Method<"chat.abort"> = {
  needs: "chat",
  run({ sessionKey, agentId, runId }, call) {
    const session = refOf(call.connection, call.agents, { key: sessionKey, agentId });
    const runIds = runId === undefined ? abortAll(session, call) : abortOne(session, runId, call);
    return { ok: true, aborted: runIds.length > 0, runIds };
  },
};

/** `sessions.abort`: the same, by either name. */
export const sessionsAbort: Method<"sessions.abort"> = {
  needs: "chat",
  run({ key, agentId, runId }, call) {
    if (key === undefined && runId === undefined) {
      throw invalid("invalid sessions.abort params: at root: needs key or runId");
    }
    const session =
      key === undefined ? sessionOf(runId as string, call) : refOf(call.connection, call.agents, { key, agentId });
    const aborted = !session ? [] : runId === undefined ? abortAll(session, call) : abortOne(session, runId, call);
    const [abortedRunId] = aborted;
    if (abortedRunId === undefined) return { ok: true, abortedRunId: null, status: "no-active-run" };
    return { ok: true, abortedRunId, status: "aborted" };
  },
};

/**
 * All that were there when it was asked, also one that nothing is kept of: its key is told of, too. Those that wait go
 * first: else each would begin as the one before it ends.
 */
function abortAll({ owner, key }: NamedSession, { runs }: Call): string[] {
  const found: Run[] = [];
  for (const [run, { session }] of runs.all) if (session.key === key && session.owner === owner) found.push(run);
  return found
    .reverse()
    .filter(abort)
    .map(({ id }) => id)
    .reverse();
}

function abortOne(session: NamedSession, runId: string, call: Call): string[] {
  const of = sessionOf(runId, call);
  if (!of) return [];
  if (of.key !== session.key) throw invalid("runId does not match sessionKey");
  const run = call.runs.find(runId, session.owner);
  return run && "abortable" in run && abort(run) ? [runId] : [];
}

/** That of a run of the caller's, under way or just over. */
export function sessionOf(runId: string, { runs, book, connection }: Call): NamedSession | undefined {
  const { owner } = connection.caller;
  const booked = book.find(owner, runId);
  if (booked) return booked.session;
  for (const [run, { session, agent }] of runs.all) {
    if (run.id === runId && session.owner === owner) return { owner, key: session.key, agentId: agent.id };
  }
  return undefined;
}

function abort(run: Run): boolean {
  const { abortable } = run;
  run.abort(new GatewayError("run_aborted", "The run was aborted."));
  return abortable;
}

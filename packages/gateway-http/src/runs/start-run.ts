import { randomUUID } from "node:crypto";
import type { TurnMessage } from "../chat/turn.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import { withAnsweredCalls } from "../sessions/answered-calls.ts";
import { type PullEnd, pullAgent } from "./pull-agent.ts";
import { Run } from "./run.ts";
import { beforeTold, runInSession, type SessionContext } from "./run-in-session.ts";
import type { RunRequest } from "./run-request.ts";
import { traceRun } from "./trace-run.ts";
import type { WaitingSteps } from "./waiting-steps.ts";

/** What all runs of a gateway share. */
export interface RunContext extends SessionContext {
  waitingSteps: WaitingSteps;
}

/**
 * Runs an agent on what a caller said: the one way from every door (HTTP, command line, embedding) to every agent.
 * Returns at once; what happens next, refusals too, comes as events to those who subscribe in the same tick.
 */
export function startRun(request: RunRequest, context: RunContext): Run {
  const id = request.id ?? `chatcmpl-${randomUUID().replaceAll("-", "")}`;
  const { session, turn } = request;
  // Whoever reads along has the text; only a session or a whole answer needs it again at the end.
  const keepsText = !(turn.stream && session.stateless) || request.needsText === true;
  const run = new Run(id, Math.floor(Date.now() / 1000), keepsText);
  const span = traceRun(run, request);
  const go = async () => {
    const pull = (talk: readonly TurnMessage[], asked = request) => pullInTime(run, asked, talk);
    try {
      const end = session.stateless
        ? await runStateless(run, request, context, pull)
        : await runInSession(run, request, context, pull);
      if ("error" in end) run.fail(end.error);
      else run.end(end.finishReason);
    } catch (error) {
      run.fail(toGatewayError(error));
    }
  };
  // What the agent begins is part of its run's trace, and so is what that begins.
  queueMicrotask(span ? () => void span.within(go) : go);
  return run;
}

/** A turn of its own: nothing is read and nothing kept, but what a client's tools interrupted. */
async function runStateless(
  run: Run,
  request: RunRequest,
  { waitingSteps, admission }: RunContext,
  pull: (talk: readonly TurnMessage[]) => Promise<PullEnd>,
): Promise<PullEnd> {
  const { agent, session, turn } = request;
  await admission.slots.take(run);
  const owner = { owner: session.owner, agentId: agent.id };
  const end = await pull(withAnsweredCalls(waitingSteps.putBack(owner, turn.messages)));
  const callIds = run.answer.toolCalls.map(({ id }) => id);
  if (!("error" in end) && callIds.length > 0) {
    waitingSteps.keep(owner, turn.messages, callIds, { steps: run.steps, carry: end.carry });
  }
  await beforeTold(run, request, end);
  return end;
}

/** Pulls the agent within its deadline, which begins here: waiting for a lane or a place is not the agent's time. */
async function pullInTime(run: Run, request: RunRequest, talk: readonly TurnMessage[]): Promise<PullEnd> {
  const timeoutMs = Math.min(request.agent.timeoutMs, request.timeoutMs ?? Number.POSITIVE_INFINITY);
  const late = () => run.abort(new GatewayError("run_timeout", `The run took longer than ${timeoutMs / 1000} s.`));
  const deadline = setTimeout(late, timeoutMs);
  const end = await pullAgent(run, request, talk);
  clearTimeout(deadline);
  // What follows is keeping the answer and telling its end.
  run.seal();
  return end;
}

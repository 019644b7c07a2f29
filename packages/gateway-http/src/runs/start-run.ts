import { randomUUID } from "node:crypto";
import type { TurnMessage } from "../chat/turn.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import { type PullEnd, pullAgent } from "./pull-agent.ts";
import { Run } from "./run.ts";
import { beforeTold, runInSession, type SessionContext } from "./run-in-session.ts";
import type { RunRequest } from "./run-request.ts";

/**
 * Runs an agent on what a caller said: the one way from every door (HTTP, command line, embedding) to every agent.
 * Returns at once; what happens next, refusals too, comes as events to those who subscribe in the same tick.
 */
export function startRun(request: RunRequest, context: SessionContext): Run {
  const id = `chatcmpl-${randomUUID().replaceAll("-", "")}`;
  const { session, turn } = request;
  // Whoever reads along has the text; only a session or a whole answer needs it again at the end.
  const keepsText = !(turn.stream && session.stateless) || request.needsText === true;
  const run = new Run(id, Math.floor(Date.now() / 1000), keepsText);
  queueMicrotask(async () => {
    const pull = (talk: readonly TurnMessage[]) => pullInTime(run, request, talk);
    const runStateless = async () => {
      const end = await pull(turn.messages);
      await beforeTold(run, request, end);
      return end;
    };
    try {
      const end = session.stateless ? await runStateless() : await runInSession(run, request, context, pull);
      if ("error" in end) run.fail(end.error);
      else run.end(end.finishReason);
    } catch (error) {
      run.fail(toGatewayError(error));
    }
  });
  return run;
}

/** Pulls the agent within its deadline, which begins here: waiting for a lane is not the agent's time. */
async function pullInTime(run: Run, request: RunRequest, talk: readonly TurnMessage[]): Promise<PullEnd> {
  const { timeoutMs } = request.agent;
  const late = () => run.abort(new GatewayError("run_timeout", `The run took longer than ${timeoutMs / 1000} s.`));
  const deadline = setTimeout(late, timeoutMs);
  const end = await pullAgent(run, request, talk);
  clearTimeout(deadline);
  // What follows is keeping the answer and telling its end.
  run.seal();
  return end;
}

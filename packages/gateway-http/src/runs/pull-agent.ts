import { setImmediate as nextLoop } from "node:timers/promises";
import type { FinishReason } from "@openclaw/protocol";
import type { AgentOutput, AgentTurn } from "../agents/agent.ts";
import { toRunEvents } from "../agents/agent-output.ts";
import type { Carry, TurnMessage } from "../chat/turn.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import type { Run } from "./run.ts";
import type { RunRequest } from "./run-request.ts";

/** An agent that never waits is made to after this many milliseconds, so that it cannot hold up the other runs. */
const MAX_LOOP_HOLD_MS = 20;
/** The clock is looked at only every so many pulls: most agents wait for something by themselves. */
const PULLS_PER_LOOK = 4;

/** How the pulling ended; the run itself has not been told yet. */
export type PullEnd = { finishReason: FinishReason; carry?: Carry | undefined } | { error: GatewayError };

/**
 * Pulls the agent and passes on what it says. The only place that awaits an agent: from here on its events travel
 * synchronously. Never throws.
 * @param talk what the agent is to answer, oldest first
 */
export function pullAgent(run: Run, request: RunRequest, talk: readonly TurnMessage[]): Promise<PullEnd> {
  const { agent, turn, session, channel, model } = request;
  const agentTurn: AgentTurn = {
    ...turn,
    messages: talk,
    runId: run.id,
    agentId: agent.id,
    sessionKey: session.key,
    channel,
    model,
  };
  void run.emit([
    { type: "run-start", runId: run.id, agentId: agent.id, sessionKey: session.key, created: run.created },
  ]);
  return new Promise((resolve) => {
    // An agent that ignores the signal may never come back; its run ends all the same.
    void run.result.then(({ error, finishReason }) =>
      resolve(error ? { error } : { finishReason: finishReason ?? "stop" }),
    );
    // An agent that stops because it was told to has not come to its end.
    const settle = (end: PullEnd) => {
      if (!run.ended) resolve(end);
    };
    pull(run, () => agent.run(agentTurn, { signal: run.signal })).then(settle, (error) =>
      settle({ error: toGatewayError(error) }),
    );
  });
}

async function pull(run: Run, start: () => AsyncIterable<AgentOutput>): Promise<PullEnd> {
  if (run.ended) return { finishReason: "stop" };
  const iterator = start()[Symbol.asyncIterator]();
  let heldSince = performance.now();
  let pulls = 0;
  try {
    while (!run.ended) {
      const { value, done } = await iterator.next();
      if (done) return { finishReason: run.answer.toolCalls.length > 0 ? "tool_calls" : "stop" };
      const { events, end } = toRunEvents(value);
      const full = run.emit(events);
      if (end) {
        abandon(iterator);
        return { finishReason: end.finishReason, carry: end.carry };
      }
      if (full) await full;
      if (++pulls % PULLS_PER_LOOK === 0 && performance.now() - heldSince > MAX_LOOP_HOLD_MS) {
        await nextLoop();
        heldSince = performance.now();
      }
    }
  } catch (error) {
    abandon(iterator);
    throw error;
  }
  abandon(iterator);
  return { finishReason: "stop" };
}

/** Lets the agent clean up, without waiting for it: its end is not the caller's. */
function abandon(iterator: AsyncIterator<unknown>): void {
  try {
    void Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {}
}

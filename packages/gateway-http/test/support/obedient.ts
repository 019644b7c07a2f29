import { GatewayError } from "../../src/errors/gateway-error.ts";
import type { AgentDefinition, AgentTurn } from "../../src/index.ts";
import { agentOf } from "./agents.ts";

/**
 * An agent that does what its last message says: `wait` says "so far" and waits for `go` with the run's id, `fail`
 * says "so far" and fails, and all else is answered with `re: <message>`.
 */
export function obedient(more: Partial<AgentDefinition> = {}) {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const begun = new Map<string, PromiseWithResolvers<AgentTurn>>();
  const gateOf = (runId: string) => getOrMake(gates, runId);
  const begunOf = (runId: string) => getOrMake(begun, runId);
  /** What runs were asked, in the order in which they began. */
  const turns: AgentTurn[] = [];
  return {
    turns,
    /** Settles when the agent has begun with this run. */
    begun: (runId: string) => begunOf(runId).promise,
    go: (runId: string) => gateOf(runId).resolve(),
    agent: agentOf(async function* (turn, signal) {
      turns.push(turn);
      begunOf(turn.runId).resolve(turn);
      const message = turn.messages.at(-1)?.content;
      if (message === "wait" || message === "fail") yield "so far";
      if (message === "fail") throw new GatewayError("provider_error", "the model is broken");
      if (message === "wait") {
        const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        await Promise.race([gateOf(turn.runId).promise, gone]);
      }
      yield message === "wait" ? " and on" : `re: ${typeof message === "string" ? message : JSON.stringify(message)}`;
    }, more),
  };
}

function getOrMake<Value>(all: Map<string, PromiseWithResolvers<Value>>, id: string): PromiseWithResolvers<Value> {
  const made = all.get(id) ?? Promise.withResolvers<Value>();
  all.set(id, made);
  return made;
}

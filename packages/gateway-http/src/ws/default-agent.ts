import type { Agent } from "../agents/agent.ts";
import type { AgentRegistry } from "../agents/registry.ts";
import type { Caller } from "../auth/caller.ts";
import { mayUse } from "../auth/permissions.ts";

/** OpenClaw's own name for it. */
const NO_AGENT = "main";

/** The agent that a caller is told of as the default: the gateway's, else the first one that it may use. */
export function defaultAgentOf(caller: Caller, agents: AgentRegistry): Agent | undefined {
  return mayUse(caller, agents.default.id) ? agents.default : agents.all.find(({ id }) => mayUse(caller, id));
}

/** Its id. The protocol wants one of a caller without any agent, too. */
export function defaultAgentIdOf(caller: Caller, agents: AgentRegistry): string {
  const [own = NO_AGENT] = caller.agents ?? [];
  return defaultAgentOf(caller, agents)?.id ?? own;
}

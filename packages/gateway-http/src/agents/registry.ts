import { parseAgentTarget } from "@openclaw/protocol";
import { ConfigError } from "../errors/config-error.ts";
import type { Agent } from "./agent.ts";

/** The agents of a gateway, by id and by alias. */
export interface AgentRegistry {
  readonly all: readonly Agent[];
  /** The one marked `default`, else `main`, else the first. */
  readonly default: Agent;
  byId(id: string): Agent | undefined;
  byAlias(alias: string): Agent | undefined;
}

/**
 * @param agents at least one
 * @throws ConfigError on a doubled id, alias or default
 */
export function createAgentRegistry(agents: readonly Agent[]): AgentRegistry {
  const byId = new Map<string, Agent>();
  const byAlias = new Map<string, Agent>();
  for (const agent of agents) {
    if (byId.has(agent.id)) throw new ConfigError(`agent ${agent.id}: defined twice`);
    byId.set(agent.id, agent);
    for (const alias of agent.aliases) {
      const other = byAlias.get(alias);
      if (other && other !== agent) throw new ConfigError(`alias ${alias}: of both ${other.id} and ${agent.id}`);
      if (parseAgentTarget(alias).kind !== "other") {
        throw new ConfigError(`agent ${agent.id}: alias ${JSON.stringify(alias)} already means something`);
      }
      byAlias.set(alias, agent);
    }
  }
  const marked = agents.filter((agent) => agent.default);
  if (marked.length > 1)
    throw new ConfigError(`agents ${marked.map((agent) => agent.id).join(", ")}: one default only`);
  const fallback = marked[0] ?? byId.get("main") ?? agents[0];
  if (!fallback) throw new ConfigError("a gateway needs at least one agent");
  return { all: agents, default: fallback, byId: (id) => byId.get(id), byAlias: (alias) => byAlias.get(alias) };
}

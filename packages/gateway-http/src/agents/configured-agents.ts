import type { Config } from "../config/schema.ts";
import { allowTools } from "../tools/policy.ts";
import type { Agent } from "./agent.ts";
import type { AgentParts } from "./agent-template.ts";
import { createModelAgent } from "./model-agent.ts";

/**
 * The agents of `agents.list`; with an empty list, one agent `main` made of `agents.defaults`.
 * @throws ConfigError when a model cannot be had
 */
export function createConfiguredAgents({ agents }: Config, { models, mcp, onToolError, onModel }: AgentParts): Agent[] {
  const list = agents.list.length > 0 ? agents.list : [{ ...agents.defaults, id: "main", default: true, aliases: [] }];
  return list.map(({ timeoutSeconds, tools = {}, ...agent }) =>
    createModelAgent({
      ...agent,
      timeoutMs: timeoutSeconds * 1000,
      models,
      onModel,
      tools: mcp && tools.allow?.length !== 0 ? allowTools(mcp, tools) : undefined,
      onToolError,
    }),
  );
}

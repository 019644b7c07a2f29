import type { Agent } from "./agents/agent.ts";
import { type AgentParts, type AgentTemplate, bindAgent } from "./agents/agent-template.ts";
import { createConfiguredAgents } from "./agents/configured-agents.ts";
import { type AgentRegistry, createAgentRegistry } from "./agents/registry.ts";
import type { Config } from "./config/schema.ts";
import { wordsOf } from "./errors/words-of.ts";
import type { Models } from "./models/models.ts";
import type { Log } from "./observe/log.ts";
import type { McpTools } from "./tools/mcp/mcp-tools.ts";

export interface AgentsOptions {
  config: Config;
  /** Those that code brings along. */
  own: readonly (Agent | AgentTemplate)[];
  models: Models;
  mcp: McpTools;
  log: Log;
  redact(text: string): string;
}

/**
 * The agents of a gateway: those of code, and those of the config, which makes none of an empty list when there are
 * others.
 * @throws ConfigError when one cannot work
 */
export function createAgents({ config, own, models, mcp, log, redact }: AgentsOptions): AgentRegistry {
  const hasServers = Object.keys(config.mcp.servers).length > 0;
  const parts: AgentParts = {
    models,
    defaults: config.agents.defaults,
    mcp: hasServers ? mcp : undefined,
    onToolError(error, call) {
      const reason = redact(wordsOf(error));
      log.warn({ ...call, reason }, "tool");
      return reason;
    },
    onModel({ reason, ...about }) {
      if (reason === undefined) log.info(about, "model answers again");
      else log.warn({ ...about, reason: redact(reason) }, "model benched");
    },
  };
  const bound = own.map((agent) => bindAgent(agent, parts));
  const configured = own.length > 0 && config.agents.list.length === 0 ? [] : createConfiguredAgents(config, parts);
  return createAgentRegistry([...bound, ...configured]);
}

import type { Agent } from "./agents/agent.ts";
import type { AgentTemplate } from "./agents/agent-template.ts";
import { createKeyRing, type KeyRing } from "./auth/key-ring.ts";
import type { LoadedConfig } from "./config/load.ts";
import { createAgents } from "./create-agents.ts";
import type { Settings } from "./http/settings.ts";
import type { Connections } from "./models/connections.ts";
import type { OnModelCall } from "./models/model-call.ts";
import { createModels, type Models } from "./models/models.ts";
import type { Log } from "./observe/log.ts";
import type { McpTools } from "./tools/mcp/mcp-tools.ts";

/** All that follows from a config alone, and that a reload puts another of in its place. */
export interface Live extends Settings {
  readonly models: Models;
  readonly keys: KeyRing;
}

export interface LiveOptions {
  /** Agents that code brings along. */
  own: readonly (Agent | AgentTemplate)[];
  connections: Connections;
  mcp: McpTools;
  log: Log;
  redact(text: string): string;
  /** Told of every call of a provider. */
  onCall?: OnModelCall | undefined;
}

/** @throws ConfigError when the config or an agent cannot work */
export function createLive(
  { config, env, modifiedAt }: Pick<LoadedConfig, "config" | "env" | "modifiedAt">,
  { own, connections, mcp, log, redact, onCall }: LiveOptions,
): Live {
  const models = createModels({ config, variables: env.variables, connections, redact, onCall });
  return {
    config,
    models,
    agents: createAgents({ config, own, models, mcp, log, redact }),
    keys: createKeyRing(config.gateway.auth.keys),
    created: Math.floor(modifiedAt / 1000),
  };
}

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Config } from "../config/schema.ts";
import { agentsSchema } from "../config/schema-agents.ts";
import { ConfigError } from "../errors/config-error.ts";
import { createFunctionTools, type ToolDefinition } from "../tools/function-tools.ts";
import { joinTools } from "../tools/join-tools.ts";
import { allowTools } from "../tools/policy.ts";
import type { ToolSource } from "../tools/tool.ts";
import type { Agent } from "./agent.ts";
import { type AgentSettings, toAgentSettings } from "./agent-settings.ts";
import { createModelAgent, type ModelSource, type OnModel } from "./model-agent.ts";
import type { OnToolError } from "./run-calls.ts";

/** What a gateway has for the agents that are made in it. */
export interface AgentParts {
  readonly models: ModelSource;
  /** What agents are that say nothing else: `agents.defaults`. */
  readonly defaults: Pick<Config["agents"]["defaults"], "model" | "maxSteps"> & {
    readonly fallbacks?: readonly string[];
  };
  /** The tools of all `mcp.servers`. */
  readonly mcp: ToolSource | undefined;
  readonly onToolError: OnToolError;
  readonly onModel?: OnModel;
}

/** An agent that still lacks what only a gateway has: models, and servers' tools. Give it to `createGateway`. */
export interface AgentTemplate {
  readonly id: string;
  /**
   * Makes the agent; `createGateway` calls it.
   * @throws ConfigError when its model cannot be had
   */
  bind(parts: AgentParts): Agent;
}

/** An agent that is a model with tools. Everything but the id has a default. */
export interface ModelAgentDefinition<
  Schemas extends Record<string, StandardSchemaV1> = Record<string, StandardSchemaV1>,
> extends AgentSettings {
  /**
   * `provider/model`, or one and those to ask in its place, in order, when it cannot answer.
   * @defaultValue `agents.defaults.model` of the config
   */
  model?: string | { readonly primary: string; readonly fallbacks?: readonly string[] };
  /** First in every system message. */
  instructions?: string;
  /** Defaults under the request's own parameters, as the provider names them. */
  params?: Readonly<Record<string, unknown>>;
  /**
   * How often a run may ask the model, 1 to 1000; then it ends with `length`.
   * @defaultValue `agents.defaults.maxSteps` of the config, which is 20
   */
  maxSteps?: number;
  /** Functions that it may call, by the names the model sees. */
  tools?: { readonly [Name in keyof Schemas]: ToolDefinition<Schemas[Name]> };
  /**
   * Globs of the tools of the config's `mcp.servers` that it may call.
   * @defaultValue `[]`
   */
  mcp?: readonly string[];
  run?: never;
}

/**
 * Checks what needs no gateway to be checked.
 * @throws ConfigError when the settings or the tools cannot work
 */
export function createAgentTemplate(definition: ModelAgentDefinition): AgentTemplate {
  const { contextWindow, input, ...settings } = toAgentSettings(definition);
  const { id } = settings;
  const { chain, instructions, params, maxSteps, mcp: allow = [] } = parseModelSettings(id, definition);
  const functions = createFunctionTools(id, definition.tools ?? {});
  return {
    id,
    bind({ defaults, models, mcp, onToolError, onModel }) {
      const sources = functions.list().length > 0 ? [functions] : [];
      if (mcp && allow.length > 0) sources.push(allowTools(mcp, { allow }));
      const agent = createModelAgent({
        ...settings,
        models,
        model: (chain ?? defaults).model,
        fallbacks: (chain ?? defaults).fallbacks,
        onModel,
        instructions,
        params,
        maxSteps: maxSteps ?? defaults.maxSteps,
        tools: sources.length > 0 ? joinTools(...sources) : undefined,
        onToolError,
      });
      return {
        ...agent,
        contextWindow: contextWindow ?? agent.contextWindow,
        // What is said here is meant, whichever model a request asks for.
        ...(definition.input && { input, inputOf: undefined }),
      };
    },
  };
}

/**
 * The agent itself, whichever of the two it is.
 * @throws ConfigError when its model cannot be had
 */
export function bindAgent(agent: Agent | AgentTemplate, parts: AgentParts): Agent {
  return "run" in agent ? agent : agent.bind(parts);
}

/** By the rules of the config, which knows all of them but by another name for `mcp`. */
function parseModelSettings(id: string, definition: ModelAgentDefinition) {
  const { model, instructions, params, maxSteps, exposeReasoning, mcp } = definition;
  const entry = { id, model, instructions, params, maxSteps, exposeReasoning, tools: mcp && { allow: mcp } };
  const { data, error } = agentsSchema.safeParse({ list: [entry] });
  const [issue] = error?.issues ?? [];
  const [parsed] = data?.list ?? [];
  if (issue || !parsed) {
    const path = issue?.path
      .slice(2)
      .join(".")
      .replace(/^tools(\.allow)?/, "mcp");
    throw new ConfigError(`agent ${id}: ${path}: ${issue?.message}`);
  }
  return {
    chain: model === undefined ? undefined : parsed,
    instructions: parsed.instructions,
    params: parsed.params,
    maxSteps: maxSteps === undefined ? undefined : parsed.maxSteps,
    mcp: parsed.tools.allow,
  };
}

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ConfigError } from "../errors/config-error.ts";
import type { Agent, AgentOutput, AgentTurn } from "./agent.ts";
import { type AgentSettings, toAgentSettings } from "./agent-settings.ts";
import { type AgentTemplate, createAgentTemplate, type ModelAgentDefinition } from "./agent-template.ts";

/** An agent of your own: an id and a function. Everything else has a default. */
export interface AgentDefinition extends AgentSettings {
  run(turn: AgentTurn, options: { signal: AbortSignal }): AsyncIterable<AgentOutput>;
}

/**
 * Makes an agent of an async generator.
 *
 * @example
 * ```ts
 * const echo = defineAgent({
 *   id: "echo",
 *   async *run({ messages }) {
 *     yield `You said: ${JSON.stringify(messages.at(-1)?.content)}`;
 *   },
 * });
 * ```
 * @throws ConfigError when the settings cannot work
 */
export function defineAgent(definition: AgentDefinition): Agent;
/**
 * Makes an agent of a model and of functions that it may call.
 *
 * @example
 * ```ts
 * const weather = defineAgent({
 *   id: "weather",
 *   model: "ollama/llama3.2",
 *   tools: {
 *     getWeather: {
 *       description: "The weather in a city, now",
 *       schema: z.object({ city: z.string() }),
 *       run: ({ city }, { signal }) => fetchWeather(city, signal),
 *     },
 *   },
 * });
 * ```
 * @throws ConfigError when the settings or the tools cannot work
 */
export function defineAgent<Schemas extends Record<string, StandardSchemaV1>>(
  definition: ModelAgentDefinition<Schemas>,
): AgentTemplate;
export function defineAgent(definition: AgentDefinition | ModelAgentDefinition): Agent | AgentTemplate {
  if (definition.run === undefined) return createAgentTemplate(definition);
  const settings = toAgentSettings(definition);
  if ("tools" in definition && definition.tools !== undefined) {
    throw new ConfigError(
      `agent ${settings.id}: has both \`run\` and \`tools\`; one that runs by itself calls its own`,
    );
  }
  return { ...settings, run: (turn, options) => definition.run(turn, options) };
}

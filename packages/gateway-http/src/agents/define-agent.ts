import { isAgentId } from "@openclaw/protocol";
import { MAX_TIMER_MS } from "../config/duration.ts";
import { ConfigError } from "../errors/config-error.ts";
import { type Agent, type AgentOutput, type AgentTurn, DEFAULT_TIMEOUT_MS } from "./agent.ts";

const MAX_TIMEOUT_SECONDS = Math.floor(MAX_TIMER_MS / 1000);

/** An agent of your own: an id and a function. Everything else has a default. */
export interface AgentDefinition {
  id: string;
  name?: string;
  description?: string;
  /** @defaultValue `[]` */
  aliases?: readonly string[];
  /** @defaultValue `false`: `main` answers, else the first agent. */
  default?: boolean;
  /** @defaultValue 600 */
  timeoutSeconds?: number;
  /** @defaultValue `false` */
  exposeReasoning?: Agent["exposeReasoning"];
  /** Tokens. */
  contextWindow?: number;
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
 * @throws ConfigError when the id cannot be one
 */
export function defineAgent(definition: AgentDefinition): Agent {
  const id = definition.id.toLowerCase();
  if (!isAgentId(id)) {
    throw new ConfigError(
      `agent id ${JSON.stringify(definition.id)}: must be 1 to 64 of a-z, 0-9, _ and -, begin with a letter or digit, and not be "default"`,
    );
  }
  const timeoutSeconds = definition.timeoutSeconds ?? DEFAULT_TIMEOUT_MS / 1000;
  if (!(timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS)) {
    throw new ConfigError(`agent ${id}: timeoutSeconds must be more than 0 and at most ${MAX_TIMEOUT_SECONDS}`);
  }
  return {
    id,
    name: definition.name,
    description: definition.description,
    aliases: (definition.aliases ?? []).map((alias) => alias.trim().toLowerCase()),
    default: definition.default ?? false,
    timeoutMs: timeoutSeconds * 1000,
    exposeReasoning: definition.exposeReasoning ?? false,
    contextWindow: definition.contextWindow,
    run: (turn, options) => definition.run(turn, options),
  };
}

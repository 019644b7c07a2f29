import { isAgentId } from "@openclaw/protocol";
import { MODALITIES, type Modality, toModalities } from "../chat/modality.ts";
import { MAX_TIMER_MS } from "../config/duration.ts";
import { ConfigError } from "../errors/config-error.ts";
import { type Agent, DEFAULT_TIMEOUT_MS } from "./agent.ts";

const MAX_TIMEOUT_SECONDS = Math.floor(MAX_TIMER_MS / 1000);

/** What every agent that is defined in code can say of itself. */
export interface AgentSettings {
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
  /**
   * What messages to it may be made of: `text`, which always goes, `image`, `audio`, `file`.
   * @defaultValue what its model takes in; `["text"]` for an agent with `run`
   */
  input?: readonly Modality[];
}

/**
 * Checks the settings and applies the defaults.
 * @throws ConfigError when the id cannot be one, or the timeout cannot be waited for
 */
export function toAgentSettings(settings: AgentSettings): Omit<Agent, "run"> {
  const id = settings.id.toLowerCase();
  if (!isAgentId(id)) {
    throw new ConfigError(
      `agent id ${JSON.stringify(settings.id)}: must be 1 to 64 of a-z, 0-9, _ and -, begin with a letter or digit, and not be "default"`,
    );
  }
  const timeoutSeconds = settings.timeoutSeconds ?? DEFAULT_TIMEOUT_MS / 1000;
  if (!(timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS)) {
    throw new ConfigError(`agent ${id}: timeoutSeconds must be more than 0 and at most ${MAX_TIMEOUT_SECONDS}`);
  }
  const unknown = settings.input?.find((modality) => !MODALITIES.includes(modality));
  if (unknown !== undefined) {
    throw new ConfigError(`agent ${id}: input ${JSON.stringify(unknown)}: must be one of ${MODALITIES.join(", ")}`);
  }
  return {
    id,
    name: settings.name,
    description: settings.description,
    aliases: (settings.aliases ?? []).map((alias) => alias.trim().toLowerCase()),
    default: settings.default ?? false,
    timeoutMs: timeoutSeconds * 1000,
    exposeReasoning: settings.exposeReasoning ?? false,
    contextWindow: settings.contextWindow,
    input: toModalities(settings.input ?? []),
  };
}

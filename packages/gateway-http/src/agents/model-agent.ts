import { HEADERS } from "@openclaw/protocol";
import { ConfigError } from "../errors/config-error.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ModelRequest, StreamModel } from "../models/model.ts";
import type { ToolSource } from "../tools/tool.ts";
import type { Agent, AgentTurn } from "./agent.ts";

/** How an agent gets at a model, by `provider/model`. */
export interface ModelSource {
  /** @throws ConfigError when the model cannot be had */
  get(reference: string): StreamModel;
  /** Tokens, where the config says. */
  contextWindow(reference: string): number | undefined;
}

export interface ModelAgentOptions extends Omit<Agent, "run" | "contextWindow"> {
  /** `provider/model`, or `demo`. */
  model: string;
  models: ModelSource;
  /** The agent's own instructions, first in every system message. */
  instructions?: string | undefined;
  /** Defaults under the request's own parameters, as the provider names them. */
  params: Readonly<Record<string, unknown>>;
  /** What it can do by itself. */
  tools?: ToolSource | undefined;
  /** How often a run may ask the model; then it ends with `length`. */
  maxSteps?: number | undefined;
}

/**
 * An agent that is a model with instructions.
 * @throws ConfigError when its model cannot be had
 */
export function createModelAgent({ model, models, instructions, params, ...settings }: ModelAgentOptions): Agent {
  const own = models.get(model);
  return {
    ...settings,
    contextWindow: models.contextWindow(model),
    run(turn, { signal }) {
      const stream = turn.model === undefined ? own : override(models, turn.model);
      return stream(toModelRequest(turn, instructions, params), { signal });
    },
  };
}

/** The model that a request asked for in place of the agent's own. */
function override(models: ModelSource, reference: string): StreamModel {
  try {
    return models.get(reference);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The reason names variables and settings: the operator's business.
    throw new GatewayError("model_not_found", `There is no model ${JSON.stringify(reference.slice(0, 100))} here.`, {
      param: HEADERS.model,
      cause: error,
    });
  }
}

/**
 * What the model sees: one system message, the agent's instructions first, then the request's; then the talk. Nothing
 * in it depends on time or chance, so that a longer talk begins with the bytes of the shorter one and providers can
 * reuse their cached prompt.
 */
function toModelRequest(
  turn: AgentTurn,
  instructions: string | undefined,
  params: Readonly<Record<string, unknown>>,
): ModelRequest {
  const system = [instructions, ...turn.instructions].filter((text) => text?.trim()).join("\n\n");
  return {
    messages: system === "" ? turn.messages : [{ role: "system", content: system }, ...turn.messages],
    params: { ...params, ...turn.params },
    stream: turn.stream,
  };
}

import { HEADERS } from "@openclaw/protocol";
import { ConfigError } from "../errors/config-error.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ModelRequest, StreamModel } from "../models/model.ts";
import type { ToolSource } from "../tools/tool.ts";
import type { Agent, AgentTurn } from "./agent.ts";
import type { OnToolError } from "./run-calls.ts";
import { runTurn } from "./turn-loop.ts";

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
  /** How often a run may ask the model; then it ends with `length`. @defaultValue 20 */
  maxSteps?: number | undefined;
  /** Told of what a tool threw; gives the words the model is told. */
  onToolError: OnToolError;
}

/** Of `agents.defaults.maxSteps`. */
const DEFAULT_MAX_STEPS = 20;

/**
 * An agent that is a model with instructions and tools.
 * @throws ConfigError when its model cannot be had
 */
export function createModelAgent(options: ModelAgentOptions): Agent {
  const {
    model,
    models,
    instructions,
    params,
    tools,
    maxSteps = DEFAULT_MAX_STEPS,
    onToolError,
    ...settings
  } = options;
  const own = models.get(model);
  return {
    ...settings,
    contextWindow: models.contextWindow(model),
    run(turn, { signal }) {
      const stream = turn.model === undefined ? own : override(models, turn.model);
      const request = toModelRequest(turn, instructions, params);
      // Without tools of its own it is the model, and nothing stands between the two on the way of a token.
      if (!tools) return stream(request, { signal });
      return runTurn({ stream, turn, request, tools, maxSteps, onToolError, signal });
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

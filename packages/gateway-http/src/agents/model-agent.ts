import { HEADERS } from "@openclaw/protocol";
import { MODALITIES, type Modality } from "../chat/modality.ts";
import { type TurnMessage, textOf } from "../chat/turn.ts";
import { ConfigError } from "../errors/config-error.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { withFallbacks } from "../models/fallbacks.ts";
import type { OnBench } from "../models/fallbacks-bench.ts";
import type { ModelRequest, StreamModel } from "../models/model.ts";
import { withName } from "../models/named-model.ts";
import type { StructureCall } from "../models/structured/with-structure.ts";
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
  /** What it takes in. */
  input(reference: string): readonly Modality[];
}

/** Told of an agent whose model is passed over for a moment because it failed, and of the same when it answers again. */
export type OnModel = (about: { agent: string } & Parameters<OnBench>[0]) => void;

export interface ModelAgentOptions extends Omit<Agent, "run" | "contextWindow" | "input" | "inputOf"> {
  /** `provider/model`, or `demo`. */
  model: string;
  /** Those to ask in its place, in order, when it cannot answer. */
  fallbacks?: readonly string[] | undefined;
  models: ModelSource;
  onModel?: OnModel | undefined;
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
    fallbacks = [],
    models,
    onModel,
    instructions,
    params,
    tools,
    maxSteps = DEFAULT_MAX_STEPS,
    onToolError,
    ...settings
  } = options;
  const own = toOne([...new Set([model, ...fallbacks])], models, (about) =>
    onModel?.({ agent: settings.id, ...about }),
  );
  return {
    ...settings,
    model,
    contextWindow: models.contextWindow(model),
    input: models.input(model),
    inputOf: (reference) => inputOf(models, reference),
    run(turn, { signal }) {
      const stream = turn.model === undefined ? own : withName(override(models, turn.model), turn.model);
      const request = toModelRequest(turn, instructions, params);
      const call: StructureCall = { signal, isLast: maxSteps === 1 };
      // Without tools of its own it is the model, and nothing stands between the two on the way of a token.
      if (!tools) return stream(request, call);
      return runTurn({ stream, turn, request, tools, maxSteps, onToolError, signal });
    },
  };
}

/** A model that cannot be had is refused by the run. */
function inputOf(models: ModelSource, reference: string): readonly Modality[] {
  try {
    return models.input(reference);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return MODALITIES;
  }
}

/** All of them as one, which says who it is when it answers. */
function toOne(names: readonly string[], models: ModelSource, onBench: OnBench): StreamModel {
  const chain = names.map((model) => ({ model, stream: models.get(model) }));
  const [primary, ...fallbacks] = chain as [(typeof chain)[number], ...typeof chain];
  return fallbacks.length > 0 ? withFallbacks(chain, { onBench }) : withName(primary.stream, primary.model);
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
  const talk = turn.messages.map(withRefusal);
  return {
    messages: system === "" ? talk : [{ role: "system", content: system }, ...talk],
    params: { ...params, ...turn.params },
    stream: turn.stream,
  };
}

/** A refusal as words: few providers know the member, and a message without either is none. */
function withRefusal(message: TurnMessage): TurnMessage {
  if (message.role !== "assistant" || !message.refusal) return message;
  const { refusal, ...rest } = message;
  return textOf(message.content) === "" ? { ...rest, content: refusal } : rest;
}

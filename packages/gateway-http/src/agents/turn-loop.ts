import type { AgentEvent } from "../chat/run-event.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ModelRequest, StreamModel } from "../models/model.ts";
import { toStructure } from "../models/structured/structure.ts";
import type { StructureCall } from "../models/structured/with-structure.ts";
import type { Tool, ToolSource } from "../tools/tool.ts";
import type { AgentTurn } from "./agent.ts";
import { ModelStep, type StepsSoFar } from "./model-step.ts";
import { type OnToolError, runCalls } from "./run-calls.ts";

export interface TurnLoopOptions {
  stream: StreamModel;
  turn: AgentTurn;
  /** What the model is asked first. */
  request: ModelRequest;
  /** What the agent can do by itself. */
  tools: ToolSource;
  /** How often the model is asked. */
  maxSteps: number;
  onToolError: OnToolError;
  signal: AbortSignal;
}

/**
 * Asks the model, runs the agent's own tools that it calls, asks again with their results, until it answers.
 *
 * Calls of the client's tools go to the client as they are written, and end the run. When a step has both, the agent's
 * are run first, so that only the client's results are missing.
 * @throws GatewayError 400 when the client names a tool as one of the agent's is named
 */
export async function* runTurn(options: TurnLoopOptions): AsyncGenerator<readonly AgentEvent[]> {
  const { stream, turn, request, maxSteps, onToolError, signal } = options;
  const { runId, agentId, sessionKey } = turn;
  await options.tools.ready();
  // The same ones to the end of the run, whichever come and go: the model was told of these.
  const own = options.tools.list();
  const tools = new Map(own.map((tool) => [tool.name, tool]));
  refuseNameClash(turn, tools);
  // One that calls what it was not told of hears that there is no such tool.
  const isHidden = own.length > 0 && turn.params.tool_choice === "none";
  const clients = new Set(isHidden ? [] : turn.params.tools?.map((tool) => tool.function.name));
  const calling = { tools, context: { runId, agentId, sessionKey, signal }, onToolError };
  const params = withTools(request.params, own);
  const messages = [...request.messages];
  const steps: StepsSoFar = { lastWords: "", ids: new Set() };
  const isStructured = toStructure(params.response_format) !== undefined;
  let left = turn.params.max_completion_tokens;

  for (let count = 1; ; count++) {
    const step = new ModelStep(steps, (name) => !clients.has(name), isStructured);
    const asked = { ...request, messages, params: { ...params, ...(left && { max_completion_tokens: left }) } };
    const call: StructureCall = { signal, isLast: count === maxSteps };
    for await (const events of stream(asked, call)) {
      const seen = step.take(events);
      if (seen.length > 0) yield seen;
    }
    const { calls, asksClient, carry, finishReason = "stop" } = step;
    const withCarry = carry && { carry };
    if (left !== undefined) left = Math.max(0, left - (step.usage?.completion_tokens ?? 0));
    if (calls.length === 0 || finishReason === "length" || finishReason === "content_filter") {
      return yield [{ type: "end", finishReason, ...withCarry }];
    }
    // Nobody would read what the tools say.
    if ((count === maxSteps || left === 0) && !asksClient) return yield [{ type: "end", finishReason: "length" }];
    const message = step.toMessage();
    messages.push(message);
    yield [{ type: "step", message }];
    const groups = params.parallel_tool_calls === false ? calls.map((call) => [call]) : [calls];
    for (const group of groups) {
      for await (const events of runCalls(group, calling)) {
        for (const event of events) if (event.type === "step") messages.push(event.message);
        yield events;
      }
    }
    if (asksClient) return yield [{ type: "end", finishReason: "tool_calls", ...withCarry }];
  }
}

/** To the model a name is one tool; to us it says who runs it. */
function refuseNameClash(turn: AgentTurn, tools: ReadonlyMap<string, Tool>): void {
  turn.params.tools?.forEach(({ function: { name } }, index) => {
    if (!tools.has(name)) return;
    const param = `tools[${index}].function.name`;
    throw new GatewayError("invalid_value", `${param}: the agent has a tool ${JSON.stringify(name)} of its own.`, {
      param,
    });
  });
}

/**
 * The agent's tools, then the client's. `tool_choice` is about the client's: with `none`, the model does not hear of
 * them; with `required`, of them alone, or it would do as it was told with one of the agent's, again and again.
 */
function withTools(params: ModelRequest["params"], own: readonly Tool[]): ModelRequest["params"] {
  if (own.length === 0) return params;
  const { tool_choice, tools, ...rest } = params;
  if (tool_choice === "required") return params;
  const clients = tool_choice === "none" || !Array.isArray(tools) ? [] : tools;
  const described = own.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, ...(description !== undefined && { description }), parameters },
  }));
  return {
    ...rest,
    tools: [...described, ...clients],
    ...(tool_choice !== undefined && tool_choice !== "none" && { tool_choice }),
  };
}

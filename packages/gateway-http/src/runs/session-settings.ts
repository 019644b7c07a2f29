import { HEADERS } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";
import { refuseModality } from "../media/take-in.ts";
import type { SessionSettings } from "../sessions/entry.ts";
import type { PullEnd } from "./pull-agent.ts";
import type { RunRequest } from "./run-request.ts";

/** The request as its session is set to answer it. What the request says itself comes first. */
export function withSettings(request: RunRequest, { model, thinking }: SessionSettings): RunRequest {
  if (model === undefined && thinking === undefined) return request;
  const { turn } = request;
  const effort = thinking !== undefined && { reasoning_effort: toEffort(thinking) };
  return {
    ...request,
    model: request.model ?? model,
    turn: effort ? { ...turn, params: { ...effort, ...turn.params } } : turn,
  };
}

/** OpenClaw's name of how much a model is to think, as OpenAI's `reasoning_effort`. */
export function toEffort(thinking: string): string {
  return thinking === "off" ? "none" : thinking;
}

/**
 * Where a session may be set to another model than its agent's, only the run knows what it takes in. A door that knows
 * the model has asked it.
 * @throws GatewayError 400 `unsupported_parameter` that names the part
 */
export function requireInput({ agent, turn, session, model }: RequestedInput, settings: SessionSettings): void {
  if (model !== undefined || (settings.model === undefined && !session.continues)) return;
  const input = (settings.model !== undefined && agent.inputOf?.(settings.model)) || agent.input;
  const who =
    settings.model === undefined
      ? `the agent ${JSON.stringify(agent.id)}`
      : `the model ${JSON.stringify(settings.model.slice(0, 100))}, which this session is set to,`;
  for (const [index, { role, content }] of turn.messages.entries()) {
    if (role !== "user" || typeof content === "string") continue;
    for (const [position, part] of content.entries()) {
      refuseModality(part, `messages[${index}].content[${position}]`, who, input);
    }
  }
}

type RequestedInput = Pick<RunRequest, "agent" | "turn" | "session" | "model">;

/** A model that is not there was chosen by the request, which knows it, or for the session, some time ago. */
export function namingModel(request: RunRequest, { model }: SessionSettings, end: PullEnd): PullEnd {
  if (!("error" in end) || model === undefined || request.model !== undefined) return end;
  const { code, param } = end.error;
  if (code !== "model_not_found" || param !== HEADERS.model) return end;
  const name = JSON.stringify(model.slice(0, 100));
  const message = `This session is set to the model ${name}, which is not here. Set it to another.`;
  return { error: new GatewayError("model_not_found", message, { cause: end.error }) };
}

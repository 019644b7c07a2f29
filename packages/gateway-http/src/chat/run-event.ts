import type { FinishReason, ToolMessage, RunEvent as WireRunEvent } from "@openclaw/protocol";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { AssistantTurnMessage, Carry } from "./turn.ts";

/**
 * A step on the agent's way to its answer, which callers do not see and later turns of the session need: calls of its
 * own tools, then the result of each.
 */
export interface StepEvent {
  type: "step";
  message: AssistantTurnMessage | ToolMessage;
}

/** A call of a model began to answer. Callers are told which model, the log also whether the first choice could not. */
export interface ModelEvent {
  type: "model";
  /** `provider/model`. */
  model: string;
  fallback?: boolean;
}

/** What happens in a run, inside the gateway: as on the wire, but an error keeps its status and retry advice. */
export type RunEvent = Exclude<WireRunEvent, { type: "run-error" | "model" }> | ModelEvent | StepEvent | RunError;

interface RunError {
  type: "run-error";
  error: GatewayError;
}

/** What an agent says while it runs. The run adds `run-start` and ends with exactly one `run-end` or `run-error`. */
export type AgentEvent =
  | Exclude<WireRunEvent, { type: "run-start" | "run-end" | "run-error" | "model" }>
  | ModelEvent
  | StepEvent
  /** Optional and last: why the answer ends. Without it, a run that returns ended with `stop`. */
  | { type: "end"; finishReason: FinishReason; carry?: Carry };

import type { FinishReason, RunEvent as WireRunEvent } from "@openclaw/protocol";
import type { GatewayError } from "../errors/gateway-error.ts";

/** What happens in a run, inside the gateway: as on the wire, but an error keeps its status and retry advice. */
export type RunEvent = Exclude<WireRunEvent, { type: "run-error" }> | { type: "run-error"; error: GatewayError };

/** What an agent says while it runs. The run adds `run-start` and ends with exactly one `run-end` or `run-error`. */
export type AgentEvent =
  | Exclude<WireRunEvent, { type: "run-start" | "run-end" | "run-error" }>
  /** Optional and last: why the answer ends. Without it, a run that returns ended with `stop`. */
  | { type: "end"; finishReason: FinishReason };

import type { AgentEvent } from "../chat/run-event.ts";
import type { TurnMessage } from "../chat/turn.ts";

/** What a model is asked. */
export interface ModelRequest {
  messages: readonly (TurnMessage | { role: "system"; content: string })[];
  /** OpenAI's parameter names; what the provider does not know by that name is the adapter's to translate. */
  params: Readonly<Record<string, unknown>>;
  /** Whether the answer is wanted as it is written. */
  stream: boolean;
}

/**
 * One call of a model. Events that arrived together come together. Failures are thrown as `GatewayError`; an aborted
 * `signal` closes the connection to the provider.
 */
export type StreamModel = (
  request: ModelRequest,
  options: { signal: AbortSignal },
) => AsyncIterable<readonly AgentEvent[]>;

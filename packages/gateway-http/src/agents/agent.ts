import type { Modality } from "../chat/modality.ts";
import type { AgentEvent } from "../chat/run-event.ts";
import type { ReasoningField } from "../chat/to-frames.ts";
import type { Turn } from "../chat/turn.ts";

/** What an agent is asked to answer. */
export interface AgentTurn extends Turn {
  /** The whole talk to answer: what the session remembers, then what was just said. */
  readonly messages: Turn["messages"];
  readonly runId: string;
  readonly agentId: string;
  /** The same for every turn of one session; a new one for each stateless request. */
  readonly sessionKey: string;
  /** The channel the message came through, when the caller named one. */
  readonly channel?: string | undefined;
  /** Another model for this run, `provider/model`, when the caller asked for one. */
  readonly model?: string | undefined;
}

/** A piece of an answer: plain text, an event, or several events that came together and leave together. */
export type AgentOutput = string | AgentEvent | readonly AgentEvent[];

/**
 * Anything that answers turns.
 *
 * Contract of `run`: it is pulled by one consumer; it stops soon after `signal` aborts; it may throw at any point (a
 * `GatewayError` reaches the caller as it is, anything else as `internal_error`). A consumer that is slow pulls late,
 * so an agent that produces only when pulled needs no queue.
 */
export interface Agent {
  /** `[a-z0-9][a-z0-9_-]{0,63}`, not `default`. */
  readonly id: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Other values of `model` that name this agent, for example `gpt-4o`. Lower case. */
  readonly aliases: readonly string[];
  /** Whether this agent answers when none is named. */
  readonly default: boolean;
  /** Milliseconds a run may take. */
  readonly timeoutMs: number;
  /** The name under which callers see the agent's reasoning, or `false`. */
  readonly exposeReasoning: ReasoningField;
  /** The model that it is made of, `provider/model`, for whoever runs the gateway. */
  readonly model?: string | undefined;
  /** Tokens, where known. */
  readonly contextWindow?: number | undefined;
  /** What messages to it may be made of. Anything else is refused before it runs. */
  readonly input: readonly Modality[];
  /** The same with another model (`AgentTurn.model`), for an agent that heeds it. */
  readonly inputOf?: ((model: string) => readonly Modality[]) | undefined;
  run(turn: AgentTurn, options: { signal: AbortSignal }): AsyncIterable<AgentOutput>;
}

/** Milliseconds a run may take unless the agent says otherwise. */
export const DEFAULT_TIMEOUT_MS = 600_000;

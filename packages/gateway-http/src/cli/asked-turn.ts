import { randomUUID } from "node:crypto";
import type { Usage } from "@openclaw/protocol";
import type { GatewayError } from "../errors/gateway-error.ts";
import { type ChosenKey, resolveSession, type SessionChoice } from "../sessions/session-key.ts";

/** A turn that a person asks for on the command line. */
export interface AskedTurn {
  text: string;
  /** A name of the agent, as given. */
  agent: string | undefined;
  /** Without one, nothing is remembered. */
  session: ChosenKey | undefined;
  /** `provider/model`. */
  model: string | undefined;
  /** Told of the answer as it comes, each piece once; `undefined`: it is wanted as a whole. */
  onText: ((text: string) => void) | undefined;
  /** Told of what a person is to know besides. */
  onNotice(line: string): void;
  /** Stops the run; the reason is a {@link GatewayError}. */
  stop: AbortSignal;
}

/** What came of it. */
export interface AnsweredTurn {
  runId: string;
  agentId: string;
  sessionKey: string;
  /** As far as it got; where `onText` was told of it, it may be empty. */
  text: string;
  usage: Usage | undefined;
  error: GatewayError | undefined;
  /** Clears away what the run needed. Waits for it. */
  close(): Promise<void>;
}

/** The session of a turn: the chosen one, or a new one that is not kept. */
export function sessionOf(chosen: ChosenKey | undefined, agentId: string): SessionChoice {
  return resolveSession({
    agentId,
    chosen,
    chatId: undefined,
    user: undefined,
    isSideTask: false,
    createId: randomUUID,
  });
}

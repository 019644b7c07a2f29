import { hash } from "node:crypto";
import type { UserMessage } from "@openclaw/protocol";
import { MODALITIES } from "../chat/modality.ts";
import type { TurnMessage } from "../chat/turn.ts";
import { takeIn } from "../media/take-in.ts";
import { readTraceContext } from "../observe/traces.ts";
import { toEffort } from "../runs/session-settings.ts";
import type { BookedRun } from "./booked-run.ts";
import type { Call } from "./method.ts";
import { toThinking } from "./session-change.ts";
import type { writableRefOf } from "./session-ref.ts";
import { invalid, missingScope } from "./socket-error.ts";

/** What may stand in a message: tabs and line breaks of the control characters, and no others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

interface Attachment {
  mimeType?: string | undefined;
  fileName?: string | undefined;
  content?: unknown;
}

/** What somebody says to an agent, in a session. */
export interface Asked {
  readonly method: BookedRun["method"];
  readonly session: ReturnType<typeof writableRefOf>;
  readonly runId: string;
  readonly message: string;
  readonly attachments: readonly Attachment[];
  readonly instructions?: string | undefined;
  readonly thinking?: string | undefined;
  readonly model?: string | undefined;
  /** Milliseconds; 0 or absent: the agent's own. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Starts a run, on the same road as a request over HTTP. Its events reach whoever hears of the session.
 * @throws SocketError, GatewayError when it cannot be started; nothing of it is kept then
 */
export function startTurn(asked: Asked, { runs, book, connection, config, traceparent }: Call) {
  const { method, session, runId, model, thinking, instructions, timeoutMs } = asked;
  const { caller } = connection;
  if (model !== undefined && !caller.scopes.has("override-model")) throw missingScope("override-model");
  const { owner, key, agent, agentId } = session;
  const { images } = config.gateway.http.endpoints.chatCompletions;
  const effort = thinking?.trim() ? toEffort(toThinking(`${method} params: at /thinking`, thinking)) : undefined;
  // Its session may be set to another model, which the run asks what it takes in.
  const input = agent.inputOf ? (model === undefined ? MODALITIES : agent.inputOf(model)) : agent.input;
  const { messages, remote } = takeIn([toUserMessage(asked)], { id: agent.id, input }, images);
  if (remote.length > 0) throw invalid(`invalid ${method} params: attachments: an image must be sent in base64`);
  const run = runs.start({
    id: runId,
    agent,
    turn: {
      messages: messages as TurnMessage[],
      instructions: instructions?.trim() ? [instructions] : [],
      params: effort === undefined ? {} : { reasoning_effort: effort },
      stream: true,
    },
    session: { owner, key, stateless: false, continues: true },
    limits: caller.limits,
    model,
    ...(timeoutMs && { timeoutMs }),
    trace: readTraceContext(traceparent === undefined ? {} : { traceparent }),
  });
  const booked = book.add(run, {
    method,
    session: { owner, key, agentId },
    fingerprint: fingerprintOf(asked),
    acceptedAt: Date.now(),
  });
  return { run, booked };
}

/**
 * The words as they are kept: composed, and without what only a terminal would heed.
 * @throws SocketError
 */
export function readMessage(method: string, text: string): string {
  if (text.includes("\u0000")) throw invalid(`invalid ${method} params: at /message: must not have NUL`);
  return text.toWellFormed().normalize("NFC").replace(CONTROL, "");
}

export function fingerprintOf({ session: { key }, message, attachments }: Asked): string {
  return hash("sha256", JSON.stringify([key, message, attachments]), "base64");
}

function toUserMessage({ method, message, attachments }: Asked): UserMessage {
  if (attachments.length === 0) return { role: "user", content: message };
  const parts = attachments.map(({ mimeType, content }, index) => {
    const at = `invalid ${method} params: at /attachments/${index}`;
    if (!mimeType?.toLowerCase().startsWith("image/")) throw invalid(`${at}/mimeType: only images are taken`);
    if (typeof content !== "string") throw invalid(`${at}/content: must be base64`);
    const url = /^data:/i.test(content) ? content : `data:${mimeType};base64,${content}`;
    return { type: "image_url" as const, image_url: { url } };
  });
  return { role: "user", content: [...(message === "" ? [] : [{ type: "text" as const, text: message }]), ...parts] };
}

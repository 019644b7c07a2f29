import { HEADERS, isAgentId } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";

/** Longest key, in UTF-16 code units. */
const MAX_LENGTH = 512;
/** Owned by other parts of OpenClaw; nobody may reach into them by choosing a key. */
const RESERVED = /^(?:agent:[^:]*:)?(?:subagent|cron|acp):/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Ids of Open WebUI's temporary chats, which ask not to be remembered; `local:` in its older versions. */
const TEMPORARY = /^(?:local|temporary):/;

/** A session key that a caller chose, and the agent it names when it is written in full. */
export interface ChosenKey {
  key: string;
  agentId: string | undefined;
}

/**
 * Reads `x-openclaw-session-key`: percent-encoded UTF-8, trimmed; `undefined` when absent or empty.
 * @throws GatewayError 400 `invalid_session_key`
 */
export function readSessionKeyHeader(header: string | undefined): ChosenKey | undefined {
  const key = header === undefined ? "" : decode(header).trim();
  return key === "" ? undefined : parseSessionKey(key, HEADERS.sessionKey);
}

/**
 * Reads a key that a caller chose, in full or bare.
 * @param param where it was said
 * @throws GatewayError 400 `invalid_session_key`
 */
export function parseSessionKey(text: string, param: string): ChosenKey {
  const key = text.trim();
  if (key === "") throw invalid("is empty", param);
  if (RESERVED.test(key)) throw invalid("begins with a reserved name (subagent:, cron:, acp:)", param);
  if (!/^agent:/i.test(key)) return { key, agentId: undefined };
  const [, agentId = "", rest = ""] = /^agent:([^:]*):(.*)$/is.exec(key) ?? [];
  if (!isAgentId(agentId.toLowerCase()) || rest === "") throw invalid("must read agent:<id>:<name>", param);
  return { key, agentId: agentId.toLowerCase() };
}

/**
 * The whole key of a session of this agent, whom a key in full names already.
 * @throws GatewayError 400 `invalid_session_key`
 */
export function toSessionKey({ key, agentId }: ChosenKey, agent: string, param: string): string {
  return checked(agentId === undefined ? `agent:${agent}:${key}` : key, param);
}

export interface SessionQuery {
  agentId: string;
  chosen: ChosenKey | undefined;
  /** The value of the first `sessions.clientHeaders` header that was sent. */
  chatId: { header: string; value: string } | undefined;
  /** `user` of the request, `undefined` when sessions are not made from it. */
  user: string | undefined;
  /** A chat UI's side task (title, tags): not part of the talk it is sent along with. */
  isSideTask: boolean;
  /** Makes the key of a request that has no session. */
  createId(): string;
}

export interface SessionChoice {
  key: string;
  /** Nothing is remembered: the key is new and is never written. */
  stateless: boolean;
  /** The key is a chat's own id, so its client sends the whole talk each time. */
  isChat: boolean;
}

/** Which session a request belongs to: the key it chose, its chat's id, its user, or none. */
export function resolveSession(query: SessionQuery): SessionChoice {
  const { agentId, chosen, chatId, user } = query;
  const prefix = `agent:${agentId}:`;
  if (query.isSideTask || (chatId && TEMPORARY.test(chatId.value))) {
    return { key: `${prefix}openai:${query.createId()}`, stateless: true, isChat: false };
  }
  if (chosen) {
    return { key: toSessionKey(chosen, agentId, HEADERS.sessionKey), stateless: false, isChat: false };
  }
  if (chatId) {
    const key = checked(`${prefix}openai-chat:${chatId.value}`, chatId.header);
    return { key, stateless: false, isChat: true };
  }
  if (user !== undefined && user.trim() !== "") {
    return { key: checked(`${prefix}openai-user:${user.trim()}`, "user"), stateless: false, isChat: false };
  }
  return { key: `${prefix}openai:${query.createId()}`, stateless: true, isChat: false };
}

/** A key as it travels in headers and paths. */
export function encodeSessionKey(key: string): string {
  // Most need no encoding, which takes longer than to see that.
  return /[^\w:.-]/.test(key) ? encodeURIComponent(key).replaceAll("%3A", ":") : key;
}

function checked(key: string, param: string): string {
  if (key.length > MAX_LENGTH) throw invalid(`is longer than ${MAX_LENGTH} characters`, param);
  if (CONTROL.test(key)) throw invalid("has a control character", param);
  // Half a surrogate pair is no character: it could not come back in a header.
  if (!key.isWellFormed()) throw invalid("is not well-formed Unicode", param);
  return key;
}

/** Node gives header bytes as Latin-1; a client may have sent UTF-8 as it is. */
function decode(header: string): string {
  try {
    const bytes = Buffer.from(header, "latin1");
    return decodeURIComponent(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("is not percent-encoded UTF-8");
  }
}

function invalid(what: string, param: string = HEADERS.sessionKey): GatewayError {
  return new GatewayError("invalid_session_key", `The session key ${what}.`, { param });
}

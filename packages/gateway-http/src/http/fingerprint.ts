import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { HEADERS } from "@openclaw/protocol";

/** Headers that choose what is answered, beside those of `sessions.clientHeaders`. */
const ANSWER_SHAPING = [
  HEADERS.agentId,
  HEADERS.agent,
  HEADERS.sessionKey,
  HEADERS.model,
  HEADERS.messageChannel,
  HEADERS.events,
  HEADERS.task,
];

/** SHA-256 of what is asked: the body, and the headers that shape the answer. */
export function fingerprintOf(body: unknown, headers: IncomingHttpHeaders, clientHeaders: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(body));
  for (const name of [...ANSWER_SHAPING, ...clientHeaders]) hash.update(`\n${name}: ${headers[name] ?? ""}`);
  return hash.digest("hex");
}

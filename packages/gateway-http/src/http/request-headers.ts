import type { IncomingMessage } from "node:http";
import { HEADERS } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";

const ONCE = /^(?:x-openclaw-.+|idempotency-key|last-event-id)$/;

/**
 * Refuses a header of ours that was sent twice: Node joins them, and a joined key would be a third one.
 * @throws GatewayError 400 `invalid_header`
 */
export function refuseRepeatedHeaders({ rawHeaders }: IncomingMessage): void {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (!ONCE.test(name)) continue;
    if (seen.has(name)) throw invalidHeader(name, "was sent twice");
    seen.add(name);
  }
}

/** The first of these headers that was sent and is not empty. */
export function findHeader(
  headers: IncomingMessage["headers"],
  names: readonly string[],
): { name: string; value: string } | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === "string" && value.trim() !== "") return { name, value: value.trim() };
  }
  return undefined;
}

/** `x-openclaw-message-channel`, lower-cased. */
export function readChannel(headers: IncomingMessage["headers"]): string | undefined {
  const value = findHeader(headers, [HEADERS.messageChannel])?.value.toLowerCase();
  if (value !== undefined && !/^[a-z0-9_-]{1,64}$/.test(value)) {
    throw invalidHeader(HEADERS.messageChannel, "must be 1 to 64 of a-z, 0-9, _ and -");
  }
  return value;
}

/**
 * Checks what a client says to come back to a run. This version keeps no journal of runs, so there is never one to
 * come back to, and nothing is started in its place.
 */
export function refuseResume(headers: IncomingMessage["headers"]): void {
  const key = headers[HEADERS.idempotencyKey];
  if (typeof key === "string" && key !== "" && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalidHeader(HEADERS.idempotencyKey, "must be 1 to 255 visible ASCII characters");
  }
  const lastEventId = headers[HEADERS.lastEventId];
  if (lastEventId === undefined || lastEventId === "") return;
  if (!key) {
    throw new GatewayError("invalid_resume", `${HEADERS.lastEventId} needs an ${HEADERS.idempotencyKey}.`, {
      param: HEADERS.lastEventId,
    });
  }
  throw new GatewayError("resume_lost", "The run to come back to is not here any more.", {
    param: HEADERS.lastEventId,
  });
}

/** Ours unless the caller's is one that is safe in a log and a header. */
export function readRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[\w.:-]{1,128}$/.test(header) ? header : undefined;
}

function invalidHeader(name: string, what: string): GatewayError {
  return new GatewayError("invalid_header", `The header ${name} ${what}.`, { param: name });
}

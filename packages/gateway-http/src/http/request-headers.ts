import { randomUUID } from "node:crypto";
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

/** The number of the last event that a client has had of an answer, and which answer that was. */
export interface LastEvent {
  runId: string;
  index: number;
}

/**
 * `idempotency-key`, and with it `last-event-id`.
 * @throws GatewayError 400 `invalid_header`, `invalid_resume`
 */
export function readIdempotency(headers: IncomingMessage["headers"]): { key?: string; lastEvent?: LastEvent } {
  const key = headers[HEADERS.idempotencyKey];
  const lastEventId = headers[HEADERS.lastEventId];
  if (typeof key === "string" && key !== "" && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw invalidHeader(HEADERS.idempotencyKey, "must be 1 to 255 visible ASCII characters");
  }
  if (lastEventId === undefined || lastEventId === "") return typeof key === "string" && key !== "" ? { key } : {};
  if (typeof key !== "string" || key === "") throw invalidResume(`needs an ${HEADERS.idempotencyKey}`);
  const [, runId = "", index] = /^(.{1,255}):(\d{1,9})$/.exec(String(lastEventId)) ?? [];
  if (index === undefined) throw invalidResume("must be the id of an event, <completion id>:<n>");
  return { key, lastEvent: { runId, index: Number(index) } };
}

export function invalidResume(what: string): GatewayError {
  return new GatewayError("invalid_resume", `The header ${HEADERS.lastEventId} ${what}.`, {
    param: HEADERS.lastEventId,
  });
}

/** A new one, unless the caller's is one that is safe in a log and a header. */
export function toRequestId(headers: IncomingMessage["headers"]): string {
  const theirs = headers[HEADERS.requestId];
  return typeof theirs === "string" && /^[\w.:-]{1,128}$/.test(theirs) ? theirs : createRequestId();
}

export function createRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "")}`;
}

function invalidHeader(name: string, what: string): GatewayError {
  return new GatewayError("invalid_header", `The header ${name} ${what}.`, { param: name });
}

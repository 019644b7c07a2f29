import { GatewayError } from "../errors/gateway-error.ts";
import type { Entry } from "./entry.ts";
import { weightOfAll } from "./transcript.ts";

/** Characters a session may hold: each turn may have to read all of it, and all sessions share one memory. */
const MAX_WEIGHT = 32 * 1024 * 1024;

/**
 * @param weight of what is kept already
 * @throws GatewayError 400 `context_length_exceeded` when there is no room for more
 */
export function requireRoom(weight: number, fresh: readonly Pick<Entry, "message">[]): void {
  if (weight + weightOfAll(fresh) <= MAX_WEIGHT) return;
  const message =
    "The session is full, with all its branches and what was said before a reset: begin another, or delete it.";
  throw new GatewayError("context_length_exceeded", message, { param: "messages" });
}

import type { FastifyRequest } from "fastify";
import type { Caller } from "../auth/caller.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { callerOf, setCaller } from "./caller.ts";
import type { Settings } from "./settings.ts";

interface Admission {
  /** By which it was let in. */
  settings: Settings;
  /** Finds its caller anew. @throws GatewayError 401, 403 */
  recheck(): Caller;
}

const ADMISSION = Symbol("admission");

type Admitted = FastifyRequest & { [ADMISSION]?: Admission };

/** Remembers by what a request was let in. */
export function setAdmission(request: Admitted, admission: Admission): void {
  request[ADMISSION] = admission;
}

/**
 * Who sends a request, by what holds now: its body may take half a minute to come, and its key may be gone by then, or
 * may do less. From then on it is who {@link callerOf} finds.
 * @param settings those of now
 * @throws GatewayError 401 `invalid_api_key`, 403 `missing_scope`
 */
export function recheckCaller(request: Admitted, settings: Settings): Caller {
  const before = callerOf(request);
  const admission = request[ADMISSION];
  if (!admission || admission.settings === settings) return before;
  const caller = admission.recheck();
  // What was read already is the other's.
  if (caller.owner !== before.owner) {
    throw new GatewayError("invalid_api_key", "These credentials are somebody else's by now.");
  }
  setCaller(request, caller);
  admission.settings = settings;
  return caller;
}

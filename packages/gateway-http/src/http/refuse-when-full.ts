import { HEADERS } from "@openclaw/protocol";
import type { FastifyRequest } from "fastify";
import type { Admission } from "../runs/admission.ts";
import type { Journal } from "../runs/journal.ts";
import type { Runs } from "../runs/runs.ts";
import { callerOf } from "./caller.ts";

export interface FullOptions {
  admission: Admission;
  journal: Journal;
  runs: Runs;
}

/**
 * Refuses a request for a run that could not be started, before its body is read: a flood is to cost no memory. Who
 * comes back to an answer starts nothing, and is let through.
 * @throws GatewayError 429 `rate_limit_exceeded`, 503 `gateway_overloaded`
 */
export function refuseWhenFull(request: FastifyRequest, { admission, journal, runs }: FullOptions): void {
  // That it shuts down is the runs' to say.
  if (runs.draining) return;
  const { owner, limits } = callerOf(request);
  const key = request.headers[HEADERS.idempotencyKey];
  // Whoever goes on from an event never starts a run; where the answer is, in memory or in the store, shows later.
  const goesOn = request.headers[HEADERS.lastEventId] !== undefined;
  if (typeof key === "string" && (goesOn || journal.has({ owner, key }))) return;
  admission.refuse({ session: { owner }, limits });
}

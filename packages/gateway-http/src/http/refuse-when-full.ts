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
 * comes back to an answer under way starts nothing, and is let through.
 * @throws GatewayError 503 `gateway_overloaded`
 */
export function refuseWhenFull(request: FastifyRequest, { admission, journal, runs }: FullOptions): void {
  // That it shuts down is the runs' to say.
  if (runs.draining) return;
  const key = request.headers[HEADERS.idempotencyKey];
  if (typeof key === "string" && journal.has({ owner: callerOf(request).owner, key })) return;
  admission.refuseIfFull();
}

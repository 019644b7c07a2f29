import type { FastifyRequest } from "fastify";
import { findWithdrawn } from "../auth/withdrawn.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { callerOf } from "./caller.ts";

type AuthConfig = Config["gateway"]["auth"];

const admittedBy = new WeakMap<FastifyRequest, AuthConfig>();

/** Remembers by what a request was let in. */
export function setAdmittedBy(request: FastifyRequest, auth: AuthConfig): void {
  admittedBy.set(request, auth);
}

/**
 * Looks again once everything is here: a body may take half a minute to come, and its key may be gone by then.
 * @throws GatewayError 401 `invalid_api_key`
 */
export function refuseWithdrawn(request: FastifyRequest, auth: AuthConfig, agentId: string): void {
  const before = admittedBy.get(request);
  if (before === undefined || before === auth) return;
  const reason = findWithdrawn(before, auth)?.(callerOf(request).owner, agentId);
  if (reason !== undefined) throw new GatewayError("invalid_api_key", reason);
}

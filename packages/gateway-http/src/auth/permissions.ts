import type { Scope } from "../config/schema-auth.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Caller } from "./caller.ts";

/**
 * @param param what of the request needs the scope: a header's name
 * @throws GatewayError 403 `missing_scope`
 */
export function requireScope({ scopes }: Caller, scope: Scope, param?: string): void {
  if (scopes.has(scope)) return;
  throw new GatewayError("missing_scope", `This key has no scope "${scope}".`, { param });
}

/** @throws GatewayError 403 `agent_not_allowed` */
export function requireAgent(caller: Caller, agentId: string, param?: string): void {
  if (mayUse(caller, agentId)) return;
  throw new GatewayError("agent_not_allowed", `This key may not use the agent "${agentId}".`, { param });
}

export function mayUse({ agents }: Caller, agentId: string): boolean {
  return agents === undefined || agents.has(agentId);
}

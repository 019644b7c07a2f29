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

/**
 * What it says names no agent but the key's own: an alias, or the default, may stand for one it is not to know of.
 * @throws GatewayError 403 `agent_not_allowed`
 */
export function requireAgent(caller: Caller, agentId: string, param?: string): void {
  if (mayUse(caller, agentId)) return;
  const own = Array.from(caller.agents ?? [], (id) => `openclaw/${id}`);
  const more = own.length > MAX_NAMED ? ` and ${own.length - MAX_NAMED} more` : "";
  const may = own.length === 0 ? "no agent at all" : `${own.slice(0, MAX_NAMED).join(", ")}${more}`;
  throw new GatewayError("agent_not_allowed", `This key may not use this agent. It may use ${may}.`, { param });
}

/** Agents that an error names. */
const MAX_NAMED = 10;

export function mayUse({ agents }: Caller, agentId: string): boolean {
  return agents === undefined || agents.has(agentId);
}

import { HEADERS, parseAgentTarget } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Agent } from "./agent.ts";
import type { AgentRegistry } from "./registry.ts";

export interface AgentQuery {
  model?: string | null | undefined;
  /** `x-openclaw-agent-id`, else `x-openclaw-agent`, with the name of the one that was sent. */
  header?: { name: string; value: string } | undefined;
  /** The agent that the session key names. */
  sessionAgentId?: string | undefined;
}

/**
 * Which agent answers. The header beats `model`; a name that only means "the default" leaves the choice to the
 * session key.
 * @throws GatewayError 404 for an agent that is not there, 400 for a session key of another agent than the named one
 */
export function resolveAgent(agents: AgentRegistry, { sessionAgentId, ...names }: AgentQuery): Agent {
  const named = findNamedAgent(agents, names);
  if (sessionAgentId === undefined) return named ?? agents.default;
  if (named === undefined) return agents.byId(sessionAgentId) ?? notFound(sessionAgentId, HEADERS.sessionKey);
  if (named.id !== sessionAgentId) {
    throw new GatewayError(
      "invalid_session_key",
      `The session key belongs to agent ${quote(sessionAgentId)}, the request names ${quote(named.id)}.`,
      { param: HEADERS.sessionKey },
    );
  }
  return named;
}

/**
 * The agent that the header or `model` names; `undefined` when it names the default.
 * @throws GatewayError 404 for an agent that is not there
 */
export function findNamedAgent(
  agents: AgentRegistry,
  { model, header }: Omit<AgentQuery, "sessionAgentId">,
): Agent | undefined {
  return header ? byHeader(agents, header) : byModel(agents, model);
}

/** The agent that `model` names, `undefined` when it names the default. */
function byModel(agents: AgentRegistry, model: string | null | undefined): Agent | undefined {
  const target = parseAgentTarget(model);
  if (target.kind === "default") return undefined;
  const agent = target.kind === "agent" ? agents.byId(target.id) : agents.byAlias(target.name);
  return agent ?? notFound(model ?? "", "model");
}

/** A header may give a bare id or any name that `model` may have. */
function byHeader(agents: AgentRegistry, header: { name: string; value: string }): Agent | undefined {
  const name = header.value.trim().toLowerCase();
  if (name === "default" || parseAgentTarget(name).kind === "default") return undefined;
  const target = parseAgentTarget(name);
  const agent = target.kind === "agent" ? agents.byId(target.id) : (agents.byId(name) ?? agents.byAlias(name));
  return agent ?? notFound(header.value, header.name);
}

function notFound(name: string, param: string): never {
  throw new GatewayError(
    "model_not_found",
    `No agent is called ${quote(name)}. GET /v1/models lists those that are there.`,
    { param },
  );
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}

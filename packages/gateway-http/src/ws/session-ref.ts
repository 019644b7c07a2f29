import type { Agent } from "../agents/agent.ts";
import type { AgentRegistry } from "../agents/registry.ts";
import { requireAgent } from "../auth/permissions.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { parseSessionKey, toSessionKey } from "../sessions/session-key.ts";
import type { SessionRef } from "../sessions/store.ts";
import type { Connection } from "./connection.ts";
import { invalid } from "./socket-error.ts";

/** Of an agent's main session, the one that a client without a choice talks in. */
export const MAIN_KEY = "main";
/** Keys that name no agent. */
const LITERAL = new Set(["global", "unknown"]);

/** A session that a request names: its key in full, and the agent it belongs to, whether or not that is there. */
export interface NamedSession extends SessionRef {
  readonly agentId: string;
}

interface Named {
  /** As the client wrote it. */
  key: string;
  agentId?: string | undefined;
}

/**
 * The session that a request means, of its caller's own. From then on the key is one that this connection uses.
 * @throws SocketError for a malformed key, and for one of another agent than the named; GatewayError 403 for one that
 * names no agent, when the caller may not use the default one: it is not told of it
 */
export function refOf(connection: Connection, agents: AgentRegistry, named: Named): NamedSession {
  const { owner } = connection.caller;
  const { key, agentId, isBare } = toCanonicalKey(named, agents.default.id);
  if (isBare) requireAgent(connection.caller, agentId, "agentId");
  connection.use(key);
  return { owner, key, agentId };
}

/**
 * The same for what is to be run or written.
 * @throws SocketError when the agent is not there; GatewayError 403 when the caller may not use it
 */
export function writableRefOf(
  connection: Connection,
  agents: AgentRegistry,
  named: Named,
): NamedSession & { agent: Agent } {
  const session = toCanonicalKey(named, agents.default.id);
  const agent = agents.byId(session.agentId);
  if (!agent) throw invalid(`Agent ${quote(session.agentId)} no longer exists in configuration`);
  requireAgent(connection.caller, agent.id, "agentId");
  return { ...refOf(connection, agents, named), agent };
}

/** The key of an agent's main session. */
export function mainKeyOf(agentId: string): string {
  return `agent:${agentId}:${MAIN_KEY}`;
}

function toCanonicalKey({ key: text, agentId: named }: Named, defaultId: string) {
  const wanted = named?.trim().toLowerCase();
  const key = text.trim();
  if (LITERAL.has(key)) return { key, agentId: wanted ?? defaultId, isBare: wanted === undefined };
  try {
    const chosen = parseSessionKey(key, "sessionKey");
    const agentId = chosen.agentId ?? wanted ?? defaultId;
    if (wanted !== undefined && wanted !== agentId) {
      throw invalid(`session key ${quote(key)} belongs to another agent than ${quote(wanted)}`);
    }
    const isBare = (chosen.agentId ?? wanted) === undefined;
    return { key: toSessionKey(chosen, agentId, "sessionKey"), agentId, isBare };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw invalid(`malformed session key ${quote(key)}: ${error.message}`);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

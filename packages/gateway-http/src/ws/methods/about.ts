import { hash } from "node:crypto";
import type { Agent } from "../../agents/agent.ts";
import { mayUse } from "../../auth/permissions.ts";
import { VERSION } from "../../version.ts";
import { defaultAgentIdOf, defaultAgentOf } from "../default-agent.ts";
import type { Call, Methods } from "../method.ts";
import { MAIN_KEY, refOf } from "../session-ref.ts";
import { invalid } from "../socket-error.ts";

/** Of the sessions used last, those that are told. */
const MAX_RECENT = 5;
const NO_HEARTBEAT = { enabled: false, every: "0m", everyMs: null, prompt: "", target: "none", ackMaxChars: 0 };
/** No setting is told: clients ask for it to see whether they are let in. */
const NO_CONFIG = {
  path: null,
  exists: false,
  raw: null,
  parsed: {},
  valid: true,
  config: {},
  runtimeConfig: {},
  hash: hash("sha256", "{}", "hex"),
  issues: [],
  warnings: [],
  legacyIssues: [],
};

/** What tells of the gateway itself, and what is asked for that it does not have. */
export const gatewayMethods: Pick<
  Methods,
  | "health"
  | "status"
  | "system-presence"
  | "config.get"
  | "agents.list"
  | "agent.identity.get"
  | "commands.list"
  | "question.list"
  | "plugin.approval.list"
> = {
  health: {
    async run(_params, call) {
      const startedAt = performance.now();
      const defaultAgentId = defaultAgentIdOf(call.connection.caller, call.agents);
      const sessions = await readSessions(call);
      const list = await Promise.all(
        // As everywhere, agents are told to those who may list them.
        (call.connection.caller.scopes.has("models") ? agentsOf(call) : []).map(async ({ id: agentId }) => ({
          agentId,
          isDefault: agentId === defaultAgentId,
          heartbeat: NO_HEARTBEAT,
          sessions: await readSessions(call, agentId),
        })),
      );
      return {
        ok: true,
        ts: Date.now(),
        durationMs: Math.round(performance.now() - startedAt),
        channels: {},
        channelOrder: [],
        channelLabels: {},
        heartbeatSeconds: 0,
        defaultAgentId,
        agents: list,
        sessions,
      };
    },
  },
  status: {
    async run(_params, call) {
      const { count, recent } = await readSessions(call);
      const { caller } = call.connection;
      const { model, contextWindow } = defaultAgentOf(caller, call.agents) ?? {};
      return {
        runtimeVersion: VERSION,
        heartbeat: { defaultAgentId: defaultAgentIdOf(caller, call.agents), agents: [] },
        channelSummary: [],
        queuedSystemEvents: [],
        sessions: {
          paths: [],
          count,
          defaults: { model: model ?? null, contextTokens: contextWindow ?? null },
          recent,
          byAgent: [],
        },
      };
    },
  },
  "system-presence": { run: () => [] },
  "config.get": { run: () => NO_CONFIG },
  "agents.list": {
    needs: "models",
    run(_params, call) {
      const withKind = call.connection.caps.has("agent-kind");
      return {
        defaultId: defaultAgentIdOf(call.connection.caller, call.agents),
        mainKey: MAIN_KEY,
        scope: "per-sender",
        agents: agentsOf(call).map(({ id, name, model }) => ({
          id,
          ...(name && { name }),
          ...(withKind && { kind: "agent" as const }),
          ...(model && { model: { primary: model } }),
        })),
      };
    },
  },
  "agent.identity.get": {
    needs: "models",
    run({ agentId, sessionKey }, call) {
      const { agents, connection } = call;
      const wanted = agentId?.trim().toLowerCase();
      const id = sessionKey === undefined ? wanted : refOf(connection, agents, { key: sessionKey, agentId }).agentId;
      const agent = id === undefined ? defaultAgentOf(connection.caller, agents) : agents.byId(id);
      if (!agent || !mayUse(connection.caller, agent.id)) {
        throw invalid(`unknown agent id ${JSON.stringify((id ?? "").slice(0, 100))}`);
      }
      return { agentId: agent.id, ...(agent.name && { name: agent.name }) };
    },
  },
  "commands.list": { run: () => ({ commands: [] }) },
  "question.list": { run: () => ({ questions: [] }) },
  "plugin.approval.list": { run: () => [] },
};

function agentsOf({ agents, connection }: Call): readonly Agent[] {
  return agents.all.filter(({ id }) => mayUse(connection.caller, id));
}

/** Of the caller's own; none where it may not see them. */
async function readSessions({ sessions, connection }: Call, agent?: string) {
  const { owner, scopes } = connection.caller;
  if (!scopes.has("sessions")) return { path: "", count: 0, recent: [] };
  const [count, last] = await Promise.all([
    sessions.count({ owner, agent }),
    sessions.list({ owner, agent, limit: MAX_RECENT }),
  ]);
  const now = Date.now();
  return { path: "", count, recent: last.map(({ key, updatedAt }) => ({ key, updatedAt, age: now - updatedAt })) };
}

import { randomUUID } from "node:crypto";
import type { SessionChange, SessionInfo } from "../../sessions/store.ts";
import type { Call, Method } from "../method.ts";
import { modelOf, sessionIdOf } from "../rows.ts";
import { toChange, toSessionEntry } from "../session-change.ts";
import { type NamedSession, refOf, writableRefOf } from "../session-ref.ts";
import { SocketError } from "../socket-error.ts";

/** `sessions.create`: an empty session; one that is there already is changed as is asked. */
export const sessionsCreate: Method<"sessions.create"> = {
  needs: "sessions",
  async run(params, call) {
    const { connection, agents } = call;
    const agentId = params.agentId?.trim().toLowerCase() || agents.default.id;
    const key = params.key ?? `agent:${agentId}:dashboard:${randomUUID()}`;
    const change = toChange("sessions.create", params, connection);
    const session = writableRefOf(connection, agents, { ...params, key });
    const info = await settle(session, change, call);
    const entry = toSessionEntry(session, info);
    return { ok: true, key: session.key, sessionId: sessionIdOf(session), entry, runStarted: false };
  },
};

/** `sessions.patch`: title, model and effort of a session, also of one that nothing was said in yet. */
export const sessionsPatch: Method<"sessions.patch"> = {
  needs: "sessions",
  async run(params, call) {
    const { connection, agents } = call;
    const session = refOf(connection, agents, params);
    const info = await settle(session, toChange("sessions.patch", params, connection), call);
    const { modelProvider, model } = modelOf(info.settings, info.agent, agents);
    return {
      ok: true,
      path: "",
      key: session.key,
      entry: toSessionEntry(session, info),
      resolved: { ...(modelProvider !== undefined && { modelProvider }), ...(model !== undefined && { model }) },
    };
  },
};

/** Changes a session, and makes it where it is not there. */
export async function settle(
  session: NamedSession,
  change: SessionChange,
  { connection, agents, sessions }: Call,
): Promise<SessionInfo> {
  if (!(await sessions.change(session, change))) {
    const { agentId: agent } = writableRefOf(connection, agents, session);
    const { title = null, settings = {} } = change;
    const chosen = Object.entries(settings).filter(([, value]) => value !== null);
    const begins = { title, settings: Object.fromEntries(chosen) };
    const isNew = await sessions.append(session, { agent, entries: [], begins });
    // Its first run was faster.
    if (!isNew) await sessions.change(session, change);
  }
  const info = await sessions.find(session);
  if (!info) throw new SocketError("UNAVAILABLE", "the session was deleted meanwhile", { retryable: true });
  return info;
}

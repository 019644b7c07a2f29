import { GatewayError } from "../../errors/gateway-error.ts";
import type { SessionRef } from "../../sessions/store.ts";
import type { Call, Method } from "../method.ts";
import { toSessionEntry } from "../session-change.ts";
import { refOf } from "../session-ref.ts";
import { invalid } from "../socket-error.ts";
import { settle } from "./sessions-change.ts";

/**
 * `sessions.reset`: what is said next begins a talk of its own. Nothing is deleted: what was said stays, as a branch. Of
 * what is not there, an empty session is made.
 */
export const sessionsReset: Method<"sessions.reset"> = {
  needs: "sessions",
  async run(params, call) {
    const { connection, agents, sessions } = call;
    const session = refOf(connection, agents, params);
    const before = await settle(session, {}, call);
    // Its answer would be the head again. Nothing is awaited between this and the writing.
    refuseBusy(call, session);
    const isReset = await sessions.append(session, { agent: before.agent, entries: [], head: null });
    const info = isReset ? await sessions.find(session) : undefined;
    if (!info) throw noSuchSession(session);
    return { ok: true, key: session.key, entry: toSessionEntry(session, info) };
  },
};

/** `sessions.delete`: the session with all its branches. */
export const sessionsDelete: Method<"sessions.delete"> = {
  needs: "sessions",
  async run(params, call) {
    const { connection, agents, sessions } = call;
    const session = refOf(connection, agents, params);
    refuseBusy(call, session);
    const deleted = await sessions.delete(session);
    return { ok: true, key: session.key, deleted, archived: [] };
  },
};

/** @throws GatewayError 409 `session_busy` */
function refuseBusy({ runs }: Call, session: SessionRef): void {
  if (!runs.findInSession(session)) return;
  throw new GatewayError("session_busy", "A run is active in this session; sessions.abort ends it.", { param: "key" });
}

export function noSuchSession({ key }: SessionRef) {
  return invalid(`No session found: ${key.slice(0, 100)}`);
}

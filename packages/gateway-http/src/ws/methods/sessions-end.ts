import type { SessionRef } from "../../sessions/store.ts";
import type { Method } from "../method.ts";
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
    const { connection, agents, sessions, runs } = call;
    const session = refOf(connection, agents, params);
    // The answer of a run would be the head again.
    return runs.between(session, async () => {
      const { agent } = await settle(session, {}, call);
      const isReset = await sessions.append(session, { agent, entries: [], head: null });
      const info = isReset ? await sessions.find(session) : undefined;
      if (!info) throw noSuchSession(session);
      return { ok: true, key: session.key, entry: toSessionEntry(session, info) };
    });
  },
};

/** `sessions.delete`: the session with all its branches. */
export const sessionsDelete: Method<"sessions.delete"> = {
  needs: "sessions",
  async run(params, call) {
    const { connection, agents, sessions, runs } = call;
    const session = refOf(connection, agents, params);
    const deleted = await runs.between(session, () => sessions.delete(session));
    return { ok: true, key: session.key, deleted, archived: [] };
  },
};

export function noSuchSession({ key }: SessionRef) {
  return invalid(`No session found: ${key.slice(0, 100)}`);
}

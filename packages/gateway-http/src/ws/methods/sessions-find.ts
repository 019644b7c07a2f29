import type { SocketParams } from "@openclaw/protocol/socket";
import type { SessionInfo } from "../../sessions/store.ts";
import type { Call, Method } from "../method.ts";
import { sessionIdOf, tokensOf, toSessionRow } from "../rows.ts";
import { refOf } from "../session-ref.ts";
import { invalid } from "../socket-error.ts";
import { allOf } from "./sessions-list.ts";

/** Of what was looked for, this much is told back. */
const MAX_SHOWN = 100;
/** Keys that are told when there is more than one. */
const MAX_NAMED = 5;

/** `sessions.describe`: one session, `null` when it is not there. */
export const sessionsDescribe: Method<"sessions.describe"> = {
  needs: "sessions",
  async run(params, call) {
    const session = refOf(call.connection, call.agents, params);
    const transcript = await call.sessions.read(session);
    if (!transcript) return { session: null };
    return { session: { ...toSessionRow(session, transcript.meta, session.agentId, call), ...tokensOf(transcript) } };
  },
};

/** `sessions.resolve`: the key of a session that is named in another way. */
export const sessionsResolve: Method<"sessions.resolve"> = {
  needs: "sessions",
  async run(params, call) {
    const { key, sessionId, label, shortId } = params;
    const [sought, ...more] = [key, sessionId, label, shortId].filter((text) => text !== undefined);
    if (sought === undefined || more.length > 0) {
      throw invalid("invalid sessions.resolve params: at root: must have one of key, sessionId, label, shortId");
    }
    const found = key === undefined ? await findAll(params, call) : await findKey({ ...params, key }, call);
    const [info, ...others] = found;
    const shown = sought.slice(0, MAX_SHOWN);
    if (!info) throw invalid(`No session found: ${shown}`);
    if (others.length > 0) {
      const keys = found.slice(0, MAX_NAMED).map((other) => other.key);
      throw invalid(`Multiple sessions found: ${shown} (${keys.join(", ")}${found.length > MAX_NAMED ? ", …" : ""})`);
    }
    return { ok: true, key: info.key, agentId: info.agent };
  },
};

type Params = SocketParams<"sessions.resolve">;

async function findKey(params: Params & { key: string }, { connection, agents, sessions }: Call) {
  const info = await sessions.find(refOf(connection, agents, params));
  return info ? [info] : [];
}

async function findAll({ sessionId, label, shortId = "", agentId }: Params, call: Call): Promise<SessionInfo[]> {
  const { owner } = call.connection.caller;
  const all = await allOf(call, { owner, agent: agentId?.trim().toLowerCase(), search: label });
  return all.filter(({ key, title }) => {
    if (label !== undefined) return title === label;
    const id = sessionIdOf({ owner, key });
    return sessionId === undefined ? id.startsWith(shortId.toLowerCase()) : id === sessionId.toLowerCase();
  });
}

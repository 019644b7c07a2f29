import type { SessionInfo } from "../../sessions/store.ts";
import type { Call, Method } from "../method.ts";
import { defaultsOf, toSessionRow } from "../rows.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const MS_A_MINUTE = 60_000;

/** `sessions.list`: those used last first. */
export const sessionsList: Method<"sessions.list"> = {
  needs: "sessions",
  async run({ limit = DEFAULT_LIMIT, offset = 0, label, ...params }, call) {
    const { agents, connection, sessions } = call;
    const limitApplied = Math.min(limit, MAX_LIMIT);
    const now = Date.now();
    const query = {
      owner: connection.caller.owner,
      agent: params.agentId?.trim().toLowerCase(),
      search: params.search?.trim() || label,
      usedAfter: params.activeMinutes === undefined ? undefined : now - params.activeMinutes * MS_A_MINUTE,
    };
    const end = offset + limitApplied;
    // A label is the whole title: the store finds where it is a part of it.
    const named = label === undefined ? undefined : (await allOf(call, query)).filter(({ title }) => title === label);
    const found = named ?? (await sessions.list({ ...query, limit: end }));
    const totalCount = named?.length ?? (await sessions.count(query));
    const page = found.slice(offset, end);
    const hasMore = totalCount > end;
    return {
      ts: now,
      path: "",
      count: page.length,
      totalCount,
      limitApplied,
      nextOffset: hasMore ? end : null,
      hasMore,
      defaults: defaultsOf(connection.caller, agents),
      sessions: page.map((info) => toSessionRow({ owner: query.owner, key: info.key }, info, info.agent, call)),
    };
  },
};

/** All sessions of the caller that are asked for. */
export function allOf(
  { sessions }: Pick<Call, "sessions">,
  query: Omit<Parameters<Call["sessions"]["list"]>[0], "limit">,
): Promise<SessionInfo[]> {
  return sessions.list({ ...query, limit: Number.MAX_SAFE_INTEGER });
}

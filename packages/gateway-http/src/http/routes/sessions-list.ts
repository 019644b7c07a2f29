import type { RouteHandlerMethod } from "fastify";
import { idOfSession, type ListPlace, type SessionRef } from "../../sessions/store.ts";
import { callerOf } from "../caller.ts";
import { readPageQuery, readParameter, toListPage, unknownAfter } from "../list-page.ts";
import { answer, type SessionsOptions, toSession } from "./sessions-shared.ts";

/** Sessions whose place in the list is remembered. */
const MAX_PLACES = 10_000;

/**
 * `GET /v1/sessions`. A session that is used moves to the list's other end, and one that is deleted has no place at all,
 * so the next page begins behind the place at which `after` was told, not at which it is by then. So a session that
 * nobody uses meanwhile is on exactly one page.
 */
export function listSessions({ sessions, runs }: SessionsOptions): RouteHandlerMethod {
  // A Map keeps the order of insertion, so the first was told longest ago.
  const places = new Map<string, ListPlace>();

  function remember(id: string, { updatedAt, key }: ListPlace): void {
    places.delete(id);
    places.set(id, { updatedAt, key });
    const [oldest] = places.keys();
    if (places.size > MAX_PLACES && oldest !== undefined) places.delete(oldest);
  }

  async function placeOf(ref: SessionRef): Promise<ListPlace> {
    const place = places.get(idOfSession(ref)) ?? (await sessions.find(ref));
    if (!place) throw unknownAfter();
    return place;
  }

  return async (request, reply) => {
    const { owner } = callerOf(request);
    const { after, limit, order } = readPageQuery(request.query, "desc");
    const agent = readParameter(request.query, "agent")?.toLowerCase();
    const search = readParameter(request.query, "search");
    const found = await sessions.list({
      owner,
      agent,
      search,
      order,
      after: after === undefined ? undefined : await placeOf({ owner, key: after }),
      limit: limit + 1,
    });
    for (const info of found.slice(0, limit)) remember(idOfSession({ owner, key: info.key }), info);
    const all = found.map((info) => toSession(info, runs.findInSession({ owner, key: info.key })?.id));
    return answer(reply, toListPage(all, limit));
  };
}

import type { ListPage } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

type Order = "asc" | "desc";

/** Which page of a list is asked for. */
export interface PageQuery {
  /** The id after which the page begins. */
  after: string | undefined;
  limit: number;
  order: Order;
}

/**
 * Reads `after`, `limit` and `order` of a list's query string.
 * @param order what applies when none is asked for
 * @throws GatewayError 400 `invalid_value`
 */
export function readPageQuery(query: unknown, order: Order): PageQuery {
  const limit = readParameter(query, "limit") ?? String(DEFAULT_LIMIT);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT) {
    throw invalid("limit", `must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  const asked = readParameter(query, "order") ?? order;
  if (asked !== "asc" && asked !== "desc") throw invalid("order", "must be asc or desc");
  return { after: readParameter(query, "after"), limit: Number(limit), order: asked };
}

/**
 * One parameter of a query string; `undefined` when it is absent or empty.
 * @throws GatewayError 400 `invalid_value` when it was sent twice
 */
export function readParameter(query: unknown, name: string): string | undefined {
  const value = (query as Record<string, string | string[] | undefined>)[name];
  if (Array.isArray(value)) throw invalid(name, "was sent twice");
  return value === "" ? undefined : value;
}

/** What a list answers when `after` is no id of it: with an empty page the client would think that it has seen all. */
export function unknownAfter(): GatewayError {
  return invalid("after", "is no id of this list");
}

/** A page of what was found, of which one more than `limit` was asked for, to know whether there is more. */
export function toListPage<T extends { id: string }>(found: readonly T[], limit: number): ListPage<T> {
  const data = found.slice(0, limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: found.length > limit,
  };
}

/**
 * A page of a list that is at hand as a whole.
 * @param all in ascending order; only what is on the page is made into an item
 * @throws GatewayError 400 `invalid_value` when `after` is not in it
 */
export function cutPage<S extends { id: string }, T extends { id: string }>(
  all: readonly S[],
  { after, limit, order }: PageQuery,
  toItem: (source: S) => T,
): ListPage<T> {
  const ordered = order === "asc" ? all : all.toReversed();
  const last = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after);
  if (after !== undefined && last === -1) throw unknownAfter();
  return toListPage(ordered.slice(last + 1, last + 2 + limit).map(toItem), limit);
}

function invalid(name: string, what: string): GatewayError {
  return new GatewayError("invalid_value", `${name}: ${what}.`, { param: name });
}

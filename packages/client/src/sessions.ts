import type { RequestOptions } from "./options.ts";
import type { ResponsePromise, Send } from "./request.ts";
import type { ListPage, ListParams, Session, SessionBranch, SessionMessage } from "./types.ts";

/** What a deleted thing leaves. */
export interface Deleted {
  object: string;
  id: string;
  deleted: boolean;
}

export interface SessionListParams extends ListParams {
  /** Only those of this agent. */
  agent?: string | undefined;
  /** Only those in whose title or key it occurs, in any case. */
  search?: string | undefined;
}

export interface SessionMessagesParams extends ListParams {
  /** The last message of the branch that is asked for. Without it: the branch with the head. */
  leaf?: string | undefined;
}

/**
 * The sessions of this token, each named by its key, as `stream.sessionKey` gives it. What they throw is an `APIError`;
 * 404 `not_found` when there is none of that key.
 */
export interface Sessions {
  /** The one that changed last comes first. */
  list(params?: SessionListParams, options?: RequestOptions): ResponsePromise<ListPage<Session>>;
  retrieve(key: string, options?: RequestOptions): ResponsePromise<Session>;
  update(key: string, changes: { title: string | null }, options?: RequestOptions): ResponsePromise<Session>;
  /** @throws APIError 409 while a run is active */
  delete(key: string, options?: RequestOptions): ResponsePromise<Deleted>;
  /** The messages of one branch. */
  messages(
    key: string,
    params?: SessionMessagesParams,
    options?: RequestOptions,
  ): ResponsePromise<ListPage<SessionMessage>>;
  /** The ends of all branches, the newest first. */
  branches(key: string, params?: ListParams, options?: RequestOptions): ResponsePromise<ListPage<SessionBranch>>;
  /**
   * Makes a message the one that the talk goes on from.
   * @throws APIError 409 while a run is active
   */
  setHead(key: string, id: string, options?: RequestOptions): ResponsePromise<Session>;
  /**
   * Copies a session, up to the message `at` or else to its head, to the session `key` or else to one with a new key.
   * Without `key` it is not sent again when no answer comes: there might be two copies.
   */
  fork(
    key: string,
    params?: { at?: string | undefined; key?: string | undefined },
    options?: RequestOptions,
  ): ResponsePromise<Session>;
  /** Ends the run under way, whoever started it. `aborted` is its completion's id. Not sent again when no answer comes. */
  abort(key: string, options?: RequestOptions): ResponsePromise<{ aborted: string | null }>;
}

export function createSessions(send: Send): Sessions {
  const path = (...parts: string[]) => ["sessions", ...parts];
  const json = JSON.stringify;
  return {
    list: (query, options) => send(path(), options, { query }),
    retrieve: (key, options) => send(path(key), options),
    update: (key, changes, options) => send(path(key), options, { method: "PATCH", body: json(changes), isSafe: true }),
    delete: (key, options) => send(path(key), options, { method: "DELETE" }),
    messages: (key, query, options) => send(path(key, "messages"), options, { query }),
    branches: (key, query, options) => send(path(key, "branches"), options, { query }),
    setHead: (key, id, options) => send(path(key, "head"), options, { body: json({ id }), isSafe: true }),
    fork: (key, params = {}, options) =>
      send(path(key, "fork"), options, { body: json(params), isSafe: params.key !== undefined }),
    abort: (key, options) => send(path(key, "abort"), options, { body: "{}", isSafe: false }),
  };
}

import { HEADERS } from "@openclaw/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RequestFigures } from "../observe/figures.ts";
import { findCaller } from "./caller.ts";

/** Headers that the log may have. None of them says who somebody is, or proves it. */
const OPEN_HEADERS = [
  "user-agent",
  "content-type",
  "content-length",
  "accept",
  "origin",
  "host",
  HEADERS.requestId,
  HEADERS.agentId,
  HEADERS.events,
  "x-stainless-lang",
  "x-stainless-package-version",
  "x-stainless-retry-count",
];
const MAX_HEADER = 200;
const MAX_PATH = 500;
/** Where a client left before it was answered; nginx's number. */
const CLIENT_GONE = 499;

export interface RequestWatch {
  /** Told of every request when it is over, streams too, and those whose client went away. */
  count(figures: RequestFigures): void;
  /** Whether a line is wanted of those that are over now. */
  logs(): boolean;
  /** One line for each request, with what ties it to its run's line. */
  log(line: object): void;
}

/** Follows a request to its end. To be called for each, before anything else. */
export function watchRequest({ count, logs, log }: RequestWatch, request: FastifyRequest, reply: FastifyReply): void {
  const startedAt = performance.now();
  const { raw } = reply;
  // Now: a connection that is gone has none.
  const address = addressOf(request);
  // Fastify's `onResponse` does not come where the client went away.
  raw.once("close", () => {
    const status = raw.headersSent ? raw.statusCode : CLIENT_GONE;
    const route = request.is404 ? undefined : request.routeOptions?.url;
    count({ route, method: request.method, status });
    if (!logs()) return;
    log({
      requestId: request.id,
      runId: reply.getHeader(HEADERS.runId),
      owner: findCaller(request)?.owner,
      method: request.method,
      path: toPath(request.url, route),
      status,
      ms: Math.round(performance.now() - startedAt),
      ...(raw.writableFinished ? undefined : { cut: true }),
      address,
      headers: openHeaders(request),
    });
  });
}

/** What reads it out of a stranger's headers must not be able to end the process from within a listener. */
function addressOf(request: FastifyRequest): string | undefined {
  try {
    return request.ip;
  } catch {
    return undefined;
  }
}

/**
 * Without the query, which may be private; so may be a session's key, and a key of somebody's that is in no config.
 * Where nothing is served any part may be one of them: only the first is told.
 */
function toPath(url: string, route: string | undefined): string {
  if (route?.startsWith("/v1/sessions/")) return route;
  const [path = ""] = url.split("?", 1);
  const known =
    route === undefined ? path.replace(/^(\/+[^/]*\/).+$/s, "$1…") : path.replace(/(\/sessions\/).+$/s, "$1…");
  return known.slice(0, MAX_PATH).replace(/sk-[\w-]{8,}/g, "***");
}

function openHeaders({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    OPEN_HEADERS.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, String(value).slice(0, MAX_HEADER)]];
    }),
  );
}

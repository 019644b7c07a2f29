import type { FastifyInstance, RouteHandlerMethod } from "fastify";
import { z } from "zod";
import { titleSchema } from "../../sessions/title.ts";
import { requireJson, requireJsonIfAny } from "../json-body.ts";
import { parseBody } from "../parse-body.ts";
import { type Guard, serve } from "../serve.ts";
import { abortRun, forkSession, moveHead } from "./sessions-actions.ts";
import { listSessions } from "./sessions-list.ts";
import { answer, noSuchSession, refOf, retrieve, type SessionsOptions } from "./sessions-shared.ts";
import { listBranches, listMessages } from "./sessions-tree.ts";

/** The body of `PATCH /v1/sessions/{key}`. */
export const changeSchema = z.object({ title: titleSchema.nullable() });

/** Everything under `/v1/sessions`. A key is one segment of the path, percent-encoded. */
export function addSessionRoutes(app: FastifyInstance, authenticate: Guard, options: SessionsOptions): void {
  const withBody = (requireType: typeof requireJson, ...methods: string[]): Guard => {
    return async (request, reply) => {
      await authenticate(request, reply);
      if (methods.includes(request.method)) requireType(request.headers);
    };
  };
  const one = { GET: retrieveSession(options), PATCH: changeSession(options), DELETE: deleteSession(options) };
  serve(app, "/v1/sessions", { GET: listSessions(options) }, authenticate);
  // A slash may be raw here, where nothing follows the key.
  serve(app, "/v1/sessions/*", one, withBody(requireJson, "PATCH"));
  serve(app, "/v1/sessions/:key/messages", { GET: listMessages(options) }, authenticate);
  serve(app, "/v1/sessions/:key/branches", { GET: listBranches(options) }, authenticate);
  serve(app, "/v1/sessions/:key/head", { POST: moveHead(options) }, withBody(requireJson, "POST"));
  serve(app, "/v1/sessions/:key/fork", { POST: forkSession(options) }, withBody(requireJsonIfAny, "POST"));
  serve(app, "/v1/sessions/:key/abort", { POST: abortRun(options) }, withBody(requireJsonIfAny, "POST"));
}

function retrieveSession(options: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => answer(reply, await retrieve(options, refOf(request)));
}

function changeSession(options: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const { title } = parseBody(changeSchema, request.body);
    const ref = refOf(request);
    if (!(await options.sessions.change(ref, { title: title || null }))) throw noSuchSession();
    return answer(reply, await retrieve(options, ref));
  };
}

function deleteSession(options: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const ref = refOf(request);
    if (!(await options.runs.between(ref, () => options.sessions.delete(ref)))) throw noSuchSession();
    return answer(reply, { object: "session.deleted", id: ref.key, deleted: true });
  };
}

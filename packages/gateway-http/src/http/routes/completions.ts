import { metadataSchema } from "@openclaw/protocol";
import type { FastifyRequest, RouteHandlerMethod } from "fastify";
import { toValidationError } from "../../chat/validation-error.ts";
import type { CompletionStore, KeptCompletion } from "../../completions/store.ts";
import { toStoredCompletion, toStoredMessages } from "../../completions/to-kept.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Runs } from "../../runs/runs.ts";
import { callerOf } from "../caller.ts";
import { cutPage, readPageQuery, readParameter, toListPage, unknownAfter } from "../list-page.ts";

interface CompletionsOptions {
  completions: CompletionStore;
}

/** `GET /v1/chat/completions?model=&metadata[k]=v`: those whose request said `store: true`. */
export function listCompletions({ completions }: CompletionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const { after, limit, order } = readPageQuery(request.query, "asc");
    const found = await completions.listCompletions({
      owner: callerOf(request).owner,
      model: readParameter(request.query, "model"),
      metadata: readMetadataQuery(request.query),
      after,
      order,
      limit: limit + 1,
    });
    if (!found) throw unknownAfter();
    return reply.header("cache-control", "no-store").send(toListPage(found.map(toStoredCompletion), limit));
  };
}

/** `GET /v1/chat/completions/{id}` */
export function retrieveCompletion({ completions }: CompletionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const kept = await find(completions, request);
    return reply.header("cache-control", "no-store").send(toStoredCompletion(kept));
  };
}

/** `POST /v1/chat/completions/{id}` `{"metadata"}` */
export function updateCompletion({ completions }: CompletionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const metadata = readMetadata(request.body);
    const kept = await find(completions, request);
    if (!(await completions.setMetadata(kept.owner, kept.completion.id, metadata))) throw notFound();
    return reply.header("cache-control", "no-store").send(toStoredCompletion({ ...kept, metadata }));
  };
}

/** `DELETE /v1/chat/completions/{id}` */
export function deleteCompletion({ completions }: CompletionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const id = idOf(request);
    if (!(await completions.deleteCompletion(callerOf(request).owner, id))) throw notFound();
    return reply.header("cache-control", "no-store").send({ object: "chat.completion.deleted", id, deleted: true });
  };
}

/** `GET /v1/chat/completions/{id}/messages`: those of its request. */
export function listCompletionMessages({ completions }: CompletionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const query = readPageQuery(request.query, "asc");
    const id = idOf(request);
    const kept = await completions.findMessages(callerOf(request).owner, id);
    if (!kept) throw notFound();
    const messages = toStoredMessages(id, kept);
    return reply.header("cache-control", "no-store").send(cutPage(messages, query, (message) => message));
  };
}

/** `POST /v1/chat/completions/{id}/cancel`: ends a run now. */
export function cancelCompletion({ runs }: { runs: Runs }): RouteHandlerMethod {
  return async (request, reply) => {
    const id = idOf(request);
    const run = runs.find(id, callerOf(request).owner);
    if (!run) throw notFound();
    // A run whose answer is being kept has as good as ended.
    const cancelled = "abortable" in run && run.abortable;
    if (cancelled) run.abort(new GatewayError("run_aborted", "The run was cancelled."));
    return reply.header("cache-control", "no-store").send({ id, cancelled });
  };
}

async function find(completions: CompletionStore, request: FastifyRequest): Promise<KeptCompletion> {
  const kept = await completions.findCompletion(callerOf(request).owner, idOf(request));
  if (!kept) throw notFound();
  return kept;
}

function idOf(request: FastifyRequest): string {
  return (request.params as { id: string }).id;
}

function notFound(): GatewayError {
  return new GatewayError("not_found", "There is no such completion.", { param: "id" });
}

function readMetadata(body: unknown): Record<string, string> | null {
  const given = (body as { metadata?: unknown } | null | undefined)?.metadata;
  if (given === null) return null;
  const parsed = metadataSchema.safeParse(given);
  if (!parsed.success) throw toValidationError(parsed.error, "metadata");
  return parsed.data;
}

/** `metadata[topic]=trip` of a query string. */
function readMetadataQuery(query: unknown): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  for (const name of Object.keys(query as object)) {
    const key = /^metadata\[(.+)\]$/s.exec(name)?.[1];
    if (key !== undefined) wanted.set(key, readParameter(query, name) ?? "");
  }
  return wanted;
}

import type { JsonSchema } from "./json-schemas.ts";
import { type Operation, toOpenApi } from "./operation.ts";
import { cancelCompletion, createChatCompletion } from "./paths-chat.ts";
import * as completions from "./paths-completions.ts";
import { health, listModels, metrics, openApi, ready, retrieveModel, status } from "./paths-gateway.ts";
import * as sessions from "./paths-sessions.ts";

type Method = "get" | "post" | "patch" | "delete";

/** Everything that is served, but for the methods that a path refuses with 405. */
const PATHS: Readonly<Record<string, Partial<Record<Method, Operation>>>> = {
  "/v1/chat/completions": { post: createChatCompletion, get: completions.listCompletions },
  "/v1/chat/completions/{id}": {
    get: completions.retrieveCompletion,
    post: completions.updateCompletion,
    delete: completions.deleteCompletion,
  },
  "/v1/chat/completions/{id}/messages": { get: completions.listCompletionMessages },
  "/v1/chat/completions/{id}/cancel": { post: cancelCompletion },
  "/v1/models": { get: listModels },
  "/v1/models/{id}": { get: retrieveModel },
  "/v1/sessions": { get: sessions.listSessions },
  "/v1/sessions/{key}": {
    get: sessions.retrieveSession,
    patch: sessions.updateSession,
    delete: sessions.deleteSession,
  },
  "/v1/sessions/{key}/messages": { get: sessions.listSessionMessages },
  "/v1/sessions/{key}/branches": { get: sessions.listSessionBranches },
  "/v1/sessions/{key}/head": { post: sessions.moveHead },
  "/v1/sessions/{key}/fork": { post: sessions.forkSession },
  "/v1/sessions/{key}/abort": { post: sessions.abortRun },
  "/health": { get: health },
  "/healthz": { get: { ...health, id: "getHealthz" } },
  "/ready": { get: ready },
  "/readyz": { get: { ...ready, id: "getReadyz" } },
  "/status": { get: status },
  "/metrics": { get: metrics },
  "/openapi.json": { get: openApi },
};

export function createPaths(): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(PATHS).map(([path, methods]) => [
      path,
      Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, toOpenApi(operation)])),
    ]),
  );
}

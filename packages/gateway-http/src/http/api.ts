import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Attempt, ProxyUser } from "../auth/attempt.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import type { Caller } from "../auth/caller.ts";
import { requireScope } from "../auth/permissions.ts";
import type { RateLimiter } from "../auth/rate-limiter.ts";
import type { Scope } from "../config/schema-auth.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { setCaller } from "./caller.ts";
import { requireJson } from "./json-body.ts";
import { isLocal } from "./local.ts";
import { countHttpRequest } from "./rate-limit.ts";
import { type FullOptions, refuseWhenFull } from "./refuse-when-full.ts";
import { type ChatCompletionsOptions, chatCompletions } from "./routes/chat-completions.ts";
import {
  cancelCompletion,
  deleteCompletion,
  listCompletionMessages,
  listCompletions,
  retrieveCompletion,
  updateCompletion,
} from "./routes/completions.ts";
import { listModels, retrieveModel } from "./routes/models.ts";
import { addSessionRoutes } from "./routes/sessions.ts";
import type { SessionsOptions } from "./routes/sessions-shared.ts";
import { type Guard, serve } from "./serve.ts";
import { recheckCaller, setAdmission } from "./still-admitted.ts";

export interface ApiOptions extends ChatCompletionsOptions, SessionsOptions, FullOptions {
  authenticator: Authenticator;
  /** Counts requests of keys that have a limit, whichever door they come to. */
  rateLimiter: RateLimiter;
  /** Whom a trusted proxy names. */
  readProxyUser(request: IncomingMessage): ProxyUser;
}

/** Everything under `/v1`: behind the endpoint's switch, then behind auth. */
export async function addApi(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { current } = options;
  const authenticate = createGuard(options, options.rateLimiter);
  app.addHook("onRequest", (_request, _reply, next) => {
    if (!current().config.gateway.http.endpoints.chatCompletions.enabled) throw disabled();
    next();
  });
  // Once the body is here, which may take half a minute.
  app.addHook("preHandler", (request, _reply, next) => {
    recheckCaller(request, current());
    next();
  });
  const forChat = authenticate("chat");
  const forChatJson = authenticate("chat", ({ method, headers }) => {
    if (method === "POST") requireJson(headers);
  });
  const forRuns = authenticate("chat", (request) => {
    if (request.method !== "POST") return;
    requireJson(request.headers);
    refuseWhenFull(request, options);
  });
  const chat = { POST: chatCompletions(options), GET: listCompletions(options) };
  serve(app, "/v1/chat/completions", chat, forRuns);
  const completion = {
    GET: retrieveCompletion(options),
    POST: updateCompletion(options),
    DELETE: deleteCompletion(options),
  };
  serve(app, "/v1/chat/completions/:id", completion, forChatJson);
  serve(app, "/v1/chat/completions/:id/messages", { GET: listCompletionMessages(options) }, forChat);
  serve(app, "/v1/chat/completions/:id/cancel", { POST: cancelCompletion(options) }, forChat);
  const forModels = authenticate("models");
  serve(app, "/v1/models", { GET: listModels(options) }, forModels);
  serve(app, "/v1/models/*", { GET: retrieveModel(options) }, forModels);
  addSessionRoutes(app, authenticate("sessions"), options);
}

/**
 * Makes what stands before a route: who is calling, and whether it may.
 * @param rateLimiter counts requests of keys that have a limit; absent where they do not count
 * @returns takes what the caller has to be allowed, and what else the request is asked once it is known who sends it
 */
export function createGuard(
  { current, authenticator, readProxyUser }: Pick<ApiOptions, "current" | "authenticator" | "readProxyUser">,
  rateLimiter?: RateLimiter,
): (scope: Scope, also?: (request: FastifyRequest) => void) => Guard {
  return (scope, also) => (request: FastifyRequest, reply: FastifyReply) => {
    const attempt: Attempt = {
      authorization: request.headers.authorization,
      address: request.ip,
      requestId: request.id,
      local: isLocal(request),
      proxyUser: () => readProxyUser(request.raw),
    };
    // Taken before: what changes meanwhile is looked at again.
    const settings = current();
    const admit = (caller: Caller) => {
      setCaller(request, caller);
      setAdmission(request, {
        settings,
        recheck() {
          const again = authenticator.recheck(attempt);
          requireScope(again, scope);
          return again;
        },
      });
      if (rateLimiter) countHttpRequest(rateLimiter, caller, reply);
      requireScope(caller, scope);
      also?.(request);
    };
    const found = authenticator.authenticate(attempt);
    return found instanceof Promise ? found : admit(found);
  };
}

function disabled(): GatewayError {
  return new GatewayError(
    "endpoint_disabled",
    "The endpoint is off; gateway.http.endpoints.chatCompletions.enabled turns it on.",
  );
}

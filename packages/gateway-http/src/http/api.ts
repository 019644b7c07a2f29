import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Authenticator } from "../auth/authenticate.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { setCaller } from "./caller.ts";
import { requireJson } from "./json-body.ts";
import { isLocal } from "./local.ts";
import { type ChatCompletionsOptions, chatCompletions } from "./routes/chat-completions.ts";
import {
  cancelCompletion,
  deleteCompletion,
  listCompletionMessages,
  listCompletions,
  retrieveCompletion,
  updateCompletion,
} from "./routes/completions.ts";
import { listModels, type ModelsOptions, retrieveModel } from "./routes/models.ts";
import { addSessionRoutes } from "./routes/sessions.ts";
import type { SessionsOptions } from "./routes/sessions-shared.ts";
import { serve } from "./serve.ts";

export interface ApiOptions extends ChatCompletionsOptions, ModelsOptions, SessionsOptions {
  /** `gateway.http.endpoints.chatCompletions.enabled`. */
  enabled: boolean;
  authenticator: Authenticator;
}

/** Everything under `/v1`: behind the endpoint's switch, then behind auth. */
export async function addApi(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { enabled, authenticator } = options;

  const authenticate = async (request: FastifyRequest) => {
    setCaller(
      request,
      await authenticator.authenticate({
        authorization: request.headers.authorization,
        address: request.ip,
        local: isLocal(request),
      }),
    );
  };
  const authenticateJson = async (request: FastifyRequest) => {
    await authenticate(request);
    if (request.method === "POST") requireJson(request.headers);
  };

  if (!enabled) app.addHook("onRequest", refuseDisabled);
  const chat = { POST: chatCompletions(options), GET: listCompletions(options) };
  serve(app, "/v1/chat/completions", chat, authenticateJson);
  const completion = {
    GET: retrieveCompletion(options),
    POST: updateCompletion(options),
    DELETE: deleteCompletion(options),
  };
  serve(app, "/v1/chat/completions/:id", completion, authenticateJson);
  serve(app, "/v1/chat/completions/:id/messages", { GET: listCompletionMessages(options) }, authenticate);
  serve(app, "/v1/chat/completions/:id/cancel", { POST: cancelCompletion(options) }, authenticate);
  serve(app, "/v1/models", { GET: listModels(options) }, authenticate);
  serve(app, "/v1/models/*", { GET: retrieveModel(options) }, authenticate);
  addSessionRoutes(app, authenticate, options);
}

function refuseDisabled(): never {
  throw new GatewayError(
    "endpoint_disabled",
    "The endpoint is off; gateway.http.endpoints.chatCompletions.enabled turns it on.",
  );
}

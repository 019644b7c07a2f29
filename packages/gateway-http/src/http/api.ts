import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Authenticator } from "../auth/authenticate.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { setCaller } from "./caller.ts";
import { requireJson } from "./json-body.ts";
import { isLocal } from "./local.ts";
import { type ChatCompletionsOptions, chatCompletions } from "./routes/chat-completions.ts";
import { listModels, type ModelsOptions, retrieveModel } from "./routes/models.ts";
import { serve } from "./serve.ts";

export interface ApiOptions extends ChatCompletionsOptions, ModelsOptions {
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
    requireJson(request.headers);
  };

  if (!enabled) app.addHook("onRequest", refuseDisabled);
  serve(app, "/v1/chat/completions", { POST: chatCompletions(options) }, authenticateJson);
  serve(app, "/v1/models", { GET: listModels(options) }, authenticate);
  serve(app, "/v1/models/*", { GET: retrieveModel(options) }, authenticate);
}

function refuseDisabled(): never {
  throw new GatewayError(
    "endpoint_disabled",
    "The endpoint is off; gateway.http.endpoints.chatCompletions.enabled turns it on.",
  );
}

import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import { HEADERS } from "@openclaw/protocol";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { answerPreflight, corsHeaders, isPreflight } from "./cors.ts";
import { fromFastify, sendError, sendRaw, urlTooLong } from "./error-reply.ts";
import { isForeignOrigin, requireHost } from "./host-guard.ts";
import { addJsonParser, BODY_LIMIT } from "./json-body.ts";
import { createByteRefuser } from "./refuse-bytes.ts";
import { createRequestId, toRequestId } from "./request-headers.ts";
import { securityHeaders } from "./security-headers.ts";
import type { Tls } from "./tls.ts";
import { isWebSocket } from "./upgrade.ts";

/** Milliseconds a request may take to arrive, its body included. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_URL_LENGTH = 8 * 1024;
/** Milliseconds that connections may outlive the last run when the gateway closes. */
const CLOSE_GRACE_MS = 1000;

export interface AppOptions {
  /** `gateway.http` of now. */
  http: () => Pick<Config["gateway"]["http"], "hosts" | "cors" | "securityHeaders">;
  /** Whether an address is one of `gateway.trustedProxies`; absent: there are none. */
  isTrustedProxy?: ((address: string | undefined) => boolean) | undefined;
  /**
   * Where a browser is let in without a token of its own (without auth, or by a proxy's cookie), a page of another
   * origin must not be able to use the gateway.
   */
  guardOrigin: boolean;
  /** What HTTPS is served with; absent: HTTP. */
  tls?: Tls | undefined;
  /** Told of every request, before anything else. */
  onRequest?: ((request: FastifyRequest, reply: FastifyReply) => void) | undefined;
  /** Told of those that Node refuses, which are told to nobody else. */
  onRefused?: ((status: number, method?: string) => void) | undefined;
  /** Told of errors that were nobody's intention. */
  onBug(error: unknown, requestId: string): void;
}

/** The HTTP edge: one envelope for every refusal, whoever refuses (us, Fastify, Node). No routes yet. */
export function createApp(options: AppOptions): FastifyInstance {
  const { http, isTrustedProxy, guardOrigin, tls, onRequest, onRefused, onBug } = options;
  // A missing Host is ours to refuse: Node's own 400 has no body.
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    connectionsCheckingInterval: 1000,
    requireHostHeader: false,
    shouldUpgradeCallback: isWebSocket,
  };
  const https = tls && { https: { ...limits, ...tls.options, handshakeTimeout: REQUEST_TIMEOUT_MS } };
  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Which of the two it is, Fastify's types want to know before it runs.
    ...((https ?? { http: limits }) as { http: typeof limits }),
    trustProxy: isTrustedProxy ?? false,
    genReqId: ({ headers }) => toRequestId(headers),
    // Draining is the runs' to refuse; Fastify's own 503 has another shape.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 2048 },
    clientErrorHandler: createByteRefuser({
      createRequestId,
      headers: () => securityHeaders(http()),
      onRefused: (status) => onRefused?.(status),
    }),
    frameworkErrors: (error, request, reply) => {
      onRequest?.(request, reply);
      addHeaders(request, reply);
      void sendError(reply, fromFastify(error));
    },
  });
  for (const method of METHODS) {
    if (method !== "CONNECT" && !app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  addJsonParser(app);

  /** Those of every answer, whatever it says. */
  function addHeaders(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers({
      [HEADERS.requestId]: request.id,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      ...securityHeaders(http()),
    });
    reply.headers(corsHeaders(request.headers.origin, http().cors.origins));
  }

  // Not async: it runs for every request and awaits nothing.
  app.addHook("onRequest", (request, reply, next) => {
    onRequest?.(request, reply);
    addHeaders(request, reply);
    const now = http();
    requireHost(request.raw, now.hosts);
    if (guardOrigin && isForeignOrigin(request.headers, now)) {
      throw new GatewayError(
        "origin_not_allowed",
        "Pages of this origin may not use this gateway; gateway.http.cors.origins lists those that may.",
        { param: "origin" },
      );
    }
    if (request.raw.url && request.raw.url.length > MAX_URL_LENGTH) throw urlTooLong();
    // Here, because the not-found handler comes after the body: anyone could have us parse 32 MiB.
    if (request.is404) throw unknownUrl(request);
    if (isPreflight(request, now.cors.origins)) answerPreflight(request, reply);
    else next();
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFastify(thrown);
    // Fastify would close the connection while the body still comes, and the client would see a reset, no answer.
    if (error.code === "request_too_large") reply.removeHeader("connection");
    if (error.code === "internal_error") onBug(error.cause ?? error, request.id);
    return sendError(reply, error);
  });
  app.setNotFoundHandler((request, reply) => sendError(reply, unknownUrl(request)));
  app.server.on("checkExpectation", ({ method, headers }: IncomingMessage, response: ServerResponse) => {
    const error = new GatewayError("expectation_failed", "Only Expect: 100-continue is understood.");
    onRefused?.(error.status, method);
    const more = { ...securityHeaders(http()), ...corsHeaders(headers.origin, http().cors.origins) };
    sendRaw(response, error, createRequestId(), more);
  });
  // Once a server closes, Node no longer looks after its timeouts: a silent connection would keep the process alive.
  app.addHook("preClose", async () => {
    setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
  tls?.attach(app, CLOSE_GRACE_MS);
  return app;
}

function unknownUrl({ method, url }: FastifyRequest): GatewayError {
  return new GatewayError("unknown_url", `Nothing is served at ${method} ${url.split("?", 1)[0]?.slice(0, 100)}.`);
}

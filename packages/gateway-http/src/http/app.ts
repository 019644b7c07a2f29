import { randomUUID } from "node:crypto";
import { METHODS, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HEADERS } from "@openclaw/protocol";
import Fastify, { type FastifyInstance } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";
import { fromFastify, fromNode, sendError, toRawAnswer, urlTooLong } from "./error-reply.ts";
import { isAllowedHost, isAllowedOrigin } from "./host-guard.ts";
import { addJsonParser, BODY_LIMIT } from "./json-body.ts";
import { readRequestId } from "./request-headers.ts";

/** Milliseconds a request may take to arrive, its body included. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_URL_LENGTH = 8 * 1024;

export interface AppOptions {
  /** `gateway.http.hosts`. */
  hosts: readonly string[];
  /** `gateway.trustedProxies`. */
  trustedProxies: readonly string[];
  /** Without auth a web page of another origin must not be able to use the gateway. */
  guardOrigin: boolean;
  /** Told of errors that were nobody's intention. */
  onBug(error: unknown, requestId: string): void;
}

/** The HTTP edge: one envelope for every refusal, whoever refuses (us, Fastify, Node). No routes yet. */
export function createApp({ hosts, trustedProxies, guardOrigin, onBug }: AppOptions): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: 1000 },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    genReqId: (raw) => readRequestId(raw.headers[HEADERS.requestId]) ?? createRequestId(),
    // Draining is the runs' to refuse; Fastify's own 503 has another shape.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 2048 },
    clientErrorHandler: refuseBytes,
    frameworkErrors: (error, request, reply) => {
      reply.header(HEADERS.requestId, request.id);
      void sendError(reply, fromFastify(error));
    },
  });
  for (const method of METHODS) {
    if (method !== "CONNECT" && !app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  addJsonParser(app);

  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      [HEADERS.requestId]: request.id,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    const { headers } = request;
    if (!isAllowedHost(headers.host, hosts)) {
      throw new GatewayError(
        "host_not_allowed",
        "This Host is not served here; gateway.http.hosts lists those that are.",
        {
          param: "host",
        },
      );
    }
    if (guardOrigin && !isAllowedOrigin(headers.origin, headers.host, hosts)) {
      throw new GatewayError(
        "origin_not_allowed",
        "Pages of this origin are not served in gateway.auth.mode none; gateway.http.hosts lists those that are.",
        { param: "origin" },
      );
    }
    if (request.raw.url && request.raw.url.length > MAX_URL_LENGTH) throw urlTooLong();
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFastify(thrown);
    if (error.code === "internal_error") onBug(error.cause ?? error, request.id);
    return sendError(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]?.slice(0, 100);
    return sendError(reply, new GatewayError("unknown_url", `Nothing is served at ${request.method} ${path}.`));
  });
  app.server.on("checkExpectation", (_request, response: ServerResponse) => {
    answerRaw(response.socket, new GatewayError("expectation_failed", "Only Expect: 100-continue is understood."));
  });
  return app;
}

export function createRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "")}`;
}

function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // Bytes into an answer that has begun would be read as part of it.
  const answering = (socket as { _httpMessage?: ServerResponse })._httpMessage;
  if (answering?.headersSent) socket.destroy();
  else answerRaw(socket, fromNode(error.code));
}

function answerRaw(socket: Socket | null, error: GatewayError): void {
  if (!socket?.writable) return;
  socket.end(toRawAnswer(error, createRequestId()));
}

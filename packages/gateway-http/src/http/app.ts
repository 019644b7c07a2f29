import { randomUUID } from "node:crypto";
import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HEADERS } from "@openclaw/protocol";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";
import { fromFastify, fromNode, sendError, sendRaw, toRawAnswer, urlTooLong } from "./error-reply.ts";
import { isAllowedHost, isAllowedOrigin } from "./host-guard.ts";
import { addJsonParser, BODY_LIMIT } from "./json-body.ts";
import { readRequestId } from "./request-headers.ts";

/** Milliseconds a request may take to arrive, its body included. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_URL_LENGTH = 8 * 1024;
/** Milliseconds a refused connection stays open: cut at once, unread bytes would reset it before the refusal is read. */
const LINGER_MS = 1000;
/** Milliseconds that connections may outlive the last run when the gateway closes. */
const CLOSE_GRACE_MS = 1000;

export interface AppOptions {
  /** `gateway.http.hosts` of now. */
  hosts: () => readonly string[];
  /** `gateway.trustedProxies`. */
  trustedProxies: readonly string[];
  /**
   * Where a browser is let in without a token of its own (without auth, or by a proxy's cookie), a page of another
   * origin must not be able to use the gateway.
   */
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
    // A missing Host is ours to refuse: Node's own 400 has no body.
    http: { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: 1000, requireHostHeader: false },
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

  // Not async: it runs for every request and awaits nothing.
  app.addHook("onRequest", (request, reply, next) => {
    reply.headers({
      [HEADERS.requestId]: request.id,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    const { headers } = request;
    const allowedHosts = hosts();
    if (!hasOneHost(request.raw)) {
      throw new GatewayError("malformed_request", "A request needs exactly one Host header.", { param: "host" });
    }
    if (!isAllowedHost(headers.host, allowedHosts)) {
      throw new GatewayError(
        "host_not_allowed",
        "This Host is not served here; gateway.http.hosts lists those that are.",
        {
          param: "host",
        },
      );
    }
    if (guardOrigin && !isAllowedOrigin(headers.origin, headers.host, allowedHosts)) {
      throw new GatewayError(
        "origin_not_allowed",
        "Pages of this origin are not served in gateway.auth.mode none; gateway.http.hosts lists those that are.",
        { param: "origin" },
      );
    }
    if (request.raw.url && request.raw.url.length > MAX_URL_LENGTH) throw urlTooLong();
    // Here, because the not-found handler comes after the body: anyone could have us parse 32 MiB.
    if (request.is404) throw unknownUrl(request);
    next();
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFastify(thrown);
    // Fastify would close the connection while the body still comes, and the client would see a reset, no answer.
    if (error.code === "request_too_large") reply.removeHeader("connection");
    if (error.code === "internal_error") onBug(error.cause ?? error, request.id);
    return sendError(reply, error);
  });
  app.setNotFoundHandler((request, reply) => sendError(reply, unknownUrl(request)));
  app.server.on("checkExpectation", (_request, response: ServerResponse) => {
    const error = new GatewayError("expectation_failed", "Only Expect: 100-continue is understood.");
    sendRaw(response, error, createRequestId());
  });
  // Once a server closes, Node no longer looks after its timeouts: a silent connection would keep the process alive.
  app.addHook("preClose", async () => {
    setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
  return app;
}

function createRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "")}`;
}

function unknownUrl({ method, url }: FastifyRequest): GatewayError {
  return new GatewayError("unknown_url", `Nothing is served at ${method} ${url.split("?", 1)[0]?.slice(0, 100)}.`);
}

function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // Bytes into an answer that has begun would be read as part of it.
  const answering = (socket as { _httpMessage?: ServerResponse })._httpMessage;
  if (answering?.headersSent) socket.destroy();
  else answerRaw(socket, fromNode(error.code));
}

function answerRaw(socket: Socket, error: GatewayError): void {
  if (socket.writable) socket.end(toRawAnswer(error, createRequestId()));
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** RFC 9112 §3.2: exactly one, but HTTP/1.0 did not know it. Node keeps the first of several. */
function hasOneHost({ rawHeaders, headers, httpVersionMinor }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersionMinor === 0;
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === "host") count++;
  }
  return count === 1;
}

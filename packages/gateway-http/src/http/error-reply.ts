import { type ServerResponse, STATUS_CODES } from "node:http";
import { HEADERS } from "@openclaw/protocol";
import type { FastifyReply } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";

/** Answers with an error: the envelope, its status, and what tells clients whether to try again. */
export function sendError(reply: FastifyReply, error: GatewayError): FastifyReply {
  return reply.code(error.status).headers(errorHeaders(error)).send(error.toBody());
}

function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (error.status === 401) headers["www-authenticate"] = "Bearer";
  if (error.retry !== undefined) headers[HEADERS.shouldRetry] = String(error.retry);
  // RFC 9110 lets 429 and 503 go without; SDKs back off better with it.
  if (error.status === 429 || error.status === 503) headers[HEADERS.retryAfter] = String(error.retryAfter ?? 1);
  return headers;
}

/** Fastify's own refusals, and anything thrown, as our errors. Unknown errors lose their words here. */
export function fromFastify(error: unknown): GatewayError {
  const { code, statusCode } = (error ?? {}) as { code?: string; statusCode?: number };
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new GatewayError("request_too_large", "The body is larger than 32 MiB.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_EMPTY_TYPE":
      return new GatewayError("unsupported_media_type", "content-type must be application/json.");
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return new GatewayError("invalid_json", "The body is empty.");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new GatewayError("malformed_request", "content-length is not the body's length.");
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return new GatewayError("invalid_json", "The body is not valid JSON.");
    case "FST_ERR_BAD_URL":
      return new GatewayError("malformed_request", "The URL is not well-formed.");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return urlTooLong();
  }
  // A body that stops in the middle: nobody is left to read this, but it is no bug of ours.
  if (code === "ECONNRESET" || code === "ABORT_ERR" || code === "ERR_STREAM_PREMATURE_CLOSE") {
    return new GatewayError("malformed_request", "The request ended too early.", { cause: error });
  }
  if (!(error instanceof GatewayError) && statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new GatewayError("malformed_request", "The request is not well-formed.", {
      status: statusCode,
      cause: error,
    });
  }
  return toGatewayError(error);
}

export function urlTooLong(): GatewayError {
  return new GatewayError("request_too_large", "The URL is too long.", { status: 414 });
}

/** Node's refusal of bytes that are no HTTP request, by the code of its `clientError`. */
export function fromNode(code: string | undefined): GatewayError {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new GatewayError("request_timeout", "The request did not arrive within 30 s.");
    case "HPE_HEADER_OVERFLOW":
      return new GatewayError("request_too_large", "The headers are too long.", { status: 431 });
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new GatewayError("request_too_large", "The chunk extensions are too long.");
    default:
      return new GatewayError("malformed_request", "This is not an HTTP request the gateway can read.");
  }
}

/** Answers a request that Fastify never gets to see. The connection ends after it. */
export function sendRaw(
  response: ServerResponse,
  error: GatewayError,
  requestId: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(error.toBody());
  response
    .writeHead(error.status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      [HEADERS.requestId]: requestId,
      connection: "close",
      ...headers,
      ...errorHeaders(error),
    })
    .end(body);
}

/** A whole HTTP/1.1 answer as text, for where no response object exists. The connection ends after it. */
export function toRawAnswer(error: GatewayError, requestId: string, headers: Record<string, string> = {}): string {
  const body = JSON.stringify(error.toBody());
  const lines = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? "Error"}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    `${HEADERS.requestId}: ${requestId}`,
    ...Object.entries({ connection: "close", ...headers, ...errorHeaders(error) }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

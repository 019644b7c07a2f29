import { ERRORS, type ErrorCode } from "@openclaw/protocol";
import type { Scope } from "../../config/schema-auth.ts";
import { type JsonSchema, shape } from "./json-schemas.ts";
import { type HeaderName, header, type ParameterName, parameter } from "./parameters.ts";

/** One method of one path. */
export interface Operation {
  id: string;
  tag: string;
  summary: string;
  description?: string;
  /** What the caller's key must be for; without it, no credentials are needed. */
  scope?: Scope;
  parameters?: readonly ParameterName[];
  /** The name of a shared shape, and something that would be accepted. */
  body?: { shape: string; required: boolean; examples: Record<string, unknown> };
  /** Headers that any answer may have, a refusal too, once it is known who asks. */
  headers?: readonly HeaderName[];
  answers: Record<number, Answer>;
  /** Beside those that every operation may answer with. */
  errors: readonly ErrorCode[];
}

export interface Answer {
  description: string;
  /** By content type. */
  content?: Record<string, { schema: JsonSchema } & Record<string, unknown>>;
  headers?: readonly HeaderName[];
}

/** An answer that is one shared shape. */
export function json(name: string, description: string): Answer {
  return { description, content: { "application/json": { schema: shape(name) } } };
}

const ALWAYS: readonly ErrorCode[] = ["malformed_request", "host_not_allowed", "origin_not_allowed", "internal_error"];
const WITH_AUTH: readonly ErrorCode[] = ["invalid_api_key", "missing_scope", "too_many_failed_attempts"];
const WITH_BODY: readonly ErrorCode[] = [
  "invalid_json",
  "invalid_type",
  "invalid_value",
  "request_too_large",
  "unsupported_media_type",
];
/** What a key that has a limit hears with every answer. */
const OF_RATE: readonly HeaderName[] = [
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
];
/** The codes of a request that never reaches its operation. */
const BEFORE: readonly ErrorCode[] = [
  "method_not_allowed",
  "request_timeout",
  "request_too_large",
  "expectation_failed",
  "malformed_request",
];

/** The OpenAPI object of an operation. */
export function toOpenApi({ id, scope, tag, body, ...operation }: Operation): JsonSchema {
  const { summary, description, parameters = [], answers } = operation;
  // What an operator asks is not counted.
  const isCounted = scope !== undefined && scope !== "admin";
  const codes = new Set([
    ...ALWAYS,
    ...(scope ? WITH_AUTH : []),
    ...(isCounted ? (["rate_limit_exceeded"] as const) : []),
    ...(body ? WITH_BODY : []),
    ...operation.errors,
  ]);
  const headers = [...(isCounted ? OF_RATE : []), ...(operation.headers ?? [])];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: scope ? [{ bearer: [scope] }] : [],
    ...(scope && { "x-required-scope": scope }),
    parameters: (["requestId", ...parameters] as const).map(parameter),
    ...(body && {
      requestBody: {
        required: body.required,
        content: { "application/json": { schema: shape(body.shape), examples: toExamples(body.examples) } },
      },
    }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, toResponse(answer, headers)])),
      ...errorResponses([...codes], answers, headers),
      default: errorResponse("The request never got here", BEFORE, ["allow"]),
    },
  };
}

function toResponse({ description, content, headers = [] }: Answer, shared: readonly HeaderName[]): JsonSchema {
  return { description, headers: toHeaders([...headers, ...shared]), ...(content && { content }) };
}

/** @param taken the statuses that are answers already */
function errorResponses(
  codes: readonly ErrorCode[],
  taken: object,
  shared: readonly HeaderName[],
): Record<string, JsonSchema> {
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))].filter((status) => !(status in taken)).sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const those = codes.filter((code) => ERRORS[code].status === status);
      return [status, errorResponse("Refused", those, headersOf(status, shared))];
    }),
  );
}

function headersOf(status: number, shared: readonly HeaderName[]): HeaderName[] {
  // It is not known yet who asks.
  if (status === 401) return ["www-authenticate"];
  return status === 429 || status === 503 ? ["retry-after", ...shared] : [...shared];
}

function errorResponse(what: string, codes: readonly ErrorCode[], headers: readonly HeaderName[]): JsonSchema {
  return {
    description: `${what}: ${codes.map((code) => `\`${code}\``).join(", ")}.`,
    headers: toHeaders(["x-should-retry", ...headers]),
    content: { "application/json": { schema: shape("Error") } },
    "x-error-codes": codes,
  };
}

function toHeaders(names: readonly HeaderName[]): JsonSchema {
  return Object.fromEntries((["x-request-id", ...names] as const).map((name) => [name, header(name)]));
}

function toExamples(examples: Record<string, unknown>): JsonSchema {
  return Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
}

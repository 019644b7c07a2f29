import { HEADERS } from "@openclaw/protocol";
import type { JsonSchema } from "./json-schemas.ts";

const text = { type: "string" };

function inHeader(name: string, description: string, schema: JsonSchema = text) {
  return { name, in: "header", description, schema };
}

function inQuery(name: string, description: string, schema: JsonSchema = text) {
  return { name, in: "query", description, schema };
}

function inPath(name: string, description: string) {
  return { name, in: "path", required: true, description, schema: { type: "string", maxLength: 2048 } };
}

/** What requests may say outside of their body. */
export const PARAMETERS = {
  requestId: inHeader(HEADERS.requestId, "Told in the answer and the log. Another one is made when it is malformed.", {
    type: "string",
    pattern: "^[A-Za-z0-9_.:-]{1,128}$",
  }),
  agentId: inHeader(HEADERS.agentId, "Which agent answers. Beats `model`."),
  agent: inHeader(HEADERS.agent, `Another name of \`${HEADERS.agentId}\`.`),
  sessionKey: inHeader(HEADERS.sessionKey, "The session: its key, bare or `agent:<id>:…`, percent-encoded UTF-8.", {
    type: "string",
    maxLength: 4608,
  }),
  model: inHeader(HEADERS.model, "Another model for this run, `provider/model`. Needs the scope `override-model`."),
  channel: inHeader(HEADERS.messageChannel, "Where the message came from, told to the agent.", {
    type: "string",
    pattern: "^[A-Za-z0-9_-]{1,64}$",
  }),
  events: inHeader(HEADERS.events, "`1`: a stream shows what the agent does."),
  task: inHeader(HEADERS.task, "Not empty: a side task of a chat (its title, its tags). Stateless."),
  idempotencyKey: inHeader(HEADERS.idempotencyKey, "The same key and request again gets the same run and its answer.", {
    type: "string",
    pattern: "^[!-~]{1,255}$",
  }),
  traceparent: inHeader("traceparent", "W3C Trace Context: what the run is a part of, where it is traced."),
  lastEventId: inHeader(HEADERS.lastEventId, `With an ${HEADERS.idempotencyKey}: goes on after this event.`, {
    type: "string",
    pattern: "^.{1,255}:[0-9]{1,9}$",
  }),
  ifNoneMatch: inHeader("if-none-match", "The `etag` of a document that is at hand."),
  after: inQuery("after", "The id after which the page begins: `last_id` of the one before."),
  limit: inQuery("limit", "Items on the page.", { type: "integer", minimum: 1, maximum: 100, default: 20 }),
  ascending: inQuery("order", "By time.", { type: "string", enum: ["asc", "desc"], default: "asc" }),
  descending: inQuery("order", "By time.", { type: "string", enum: ["asc", "desc"], default: "desc" }),
  ofModel: inQuery("model", "Only completions whose `model` this was."),
  ofMetadata: {
    ...inQuery("metadata", "Only completions with these pairs: `metadata[topic]=trip`.", {
      type: "object",
      additionalProperties: text,
    }),
    style: "deepObject",
    explode: true,
  },
  ofAgent: inQuery("agent", "Only sessions of this agent."),
  search: inQuery("search", "Only sessions with this in their title or key, in any case."),
  leaf: inQuery("leaf", "The message that the talk is told up to. Without it: the head."),
  completionId: inPath("id", "The completion's id."),
  modelId: inPath("id", "Any name that `model` of a chat request may have. A slash may be raw or `%2F`."),
  key: inPath("key", "The session's key, percent-encoded: one segment of the path."),
} as const;

export type ParameterName = keyof typeof PARAMETERS;

export function parameter(name: ParameterName): JsonSchema {
  return { $ref: `#/components/parameters/${name}` };
}

/** What answers say outside of their body. */
export const ANSWER_HEADERS = {
  [HEADERS.requestId]: { description: "The request's id.", schema: text },
  [HEADERS.runId]: { description: "The run's id, which is the completion's.", schema: text },
  [HEADERS.sessionKey]: { description: "The session's key, percent-encoded UTF-8.", schema: text },
  [HEADERS.idempotencyReplayed]: {
    description: "The run had begun before this request.",
    schema: { type: "string", const: "true" },
  },
  [HEADERS.shouldRetry]: {
    description: "Whether trying again is safe. Obeyed by OpenAI's SDKs.",
    schema: { type: "string", enum: ["true", "false"] },
  },
  [HEADERS.retryAfter]: { description: "Seconds.", schema: { type: "number", minimum: 0 } },
  "x-ratelimit-limit-requests": { description: "Requests per minute that the key may send.", schema: text },
  "x-ratelimit-remaining-requests": { description: "How many of them are left now.", schema: text },
  "x-ratelimit-reset-requests": {
    description: "After how long all of them are there again: `1s`, `6m0s`.",
    schema: text,
  },
  "www-authenticate": { description: "With 401.", schema: text },
  allow: { description: "With 405: the methods that are served.", schema: text },
  etag: { description: "Changes with the document.", schema: text },
} as const;

export type HeaderName = keyof typeof ANSWER_HEADERS;

export function header(name: HeaderName): JsonSchema {
  return { $ref: `#/components/headers/${name}` };
}

import { ERRORS, type ErrorCode } from "@openclaw/protocol";
import { shape } from "./json-schemas.ts";
import { json, type Operation } from "./operation.ts";

const tag = "Chat";

/** What can end a run before anything was said. */
const RUN_ERRORS = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => code.startsWith("provider_"));

const STREAM = `Server-sent events. The data of each is a ChatCompletionChunk; a stream ends with a chunk that has a \
\`finish_reason\` (with \`include_usage\` another one with the usage), or with an Error, and then \`[DONE]\`. A stream \
without \`[DONE]\` was cut. Lines that begin with \`:\` are comments that keep the connection open. Under an \
Idempotency-Key every event has an \`id\`, to go on after.`;

const EXAMPLE_STREAM = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"openclaw",\
"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"openclaw",\
"choices":[{"index":0,"delta":{"content":"Hello!"},"finish_reason":null}]}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"openclaw",\
"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]

`;

const hello = { model: "openclaw", messages: [{ role: "user", content: "hi" }] };

export const createChatCompletion: Operation = {
  id: "createChatCompletion",
  tag,
  summary: "Asks an agent",
  description:
    "Stateless unless a session is named: by a header, or by `user`. Without an Idempotency-Key, closing the connection " +
    "ends the run. An error after the first event of a stream is an event.",
  scope: "chat",
  parameters: [
    "agentId",
    "agent",
    "sessionKey",
    "model",
    "channel",
    "events",
    "task",
    "idempotencyKey",
    "lastEventId",
    "traceparent",
  ],
  body: {
    shape: "ChatCompletionRequest",
    required: true,
    examples: { answer: hello, stream: { ...hello, stream: true, stream_options: { include_usage: true } } },
  },
  headers: ["x-openclaw-run-id", "x-openclaw-session-key", "idempotency-replayed"],
  answers: {
    200: {
      description: "The answer: a completion, or with `stream: true` events.",
      content: {
        "application/json": { schema: shape("ChatCompletion") },
        "text/event-stream": {
          schema: { type: "string", description: STREAM },
          example: EXAMPLE_STREAM,
          "x-event-data": { oneOf: [shape("ChatCompletionChunk"), shape("Error"), { const: "[DONE]" }] },
        },
      },
    },
    204: {
      description: "`Last-Event-ID` is the last event of the answer: there is nothing to add.",
    },
  },
  errors: [
    "endpoint_disabled",
    "unsupported_parameter",
    "missing_user_message",
    "invalid_header",
    "invalid_session_key",
    "invalid_resume",
    "agent_not_allowed",
    "model_not_found",
    "session_busy",
    "idempotency_key_conflict",
    "resume_lost",
    "run_aborted",
    "queue_full",
    "context_length_exceeded",
    "content_filter",
    "run_timeout",
    "gateway_overloaded",
    "gateway_draining",
    ...RUN_ERRORS,
  ],
};

export const cancelCompletion: Operation = {
  id: "cancelChatCompletion",
  tag,
  summary: "Ends a run now",
  description: "Who waits for its answer is told `run_aborted`.",
  scope: "chat",
  parameters: ["completionId"],
  answers: { 200: json("CompletionCancelled", "Whether it was still running.") },
  errors: ["endpoint_disabled", "not_found"],
};

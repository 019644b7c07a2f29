import { argsOf, type Heard, type Json, type Refusal, type Saying, SIGNATURE, sse, type Wire } from "./wire.ts";

const event = (value: { type: string } & Record<string, unknown>) => sse(value, value.type);

const REASONS = { length: "max_tokens", content_filter: "refusal" };
const stopOf = ({ finish, calls }: Saying) => (finish ? REASONS[finish] : calls?.length ? "tool_use" : "end_turn");

const inputUsage = ({ usage }: Saying) => ({
  // Anthropic counts what came from the cache apart.
  input_tokens: usage ? usage.input - usage.cached : 0,
  cache_read_input_tokens: usage?.cached ?? 0,
  cache_creation_input_tokens: 0,
});
const outputUsage = ({ usage }: Saying) => ({
  output_tokens: usage?.output ?? 0,
  ...(usage && { output_tokens_details: { thinking_tokens: usage.reasoning } }),
});

function blocksOf(saying: Saying): { start: Json; deltas: Json[]; whole: Json }[] {
  const { thoughts, text, calls = [] } = saying;
  return [
    ...(thoughts
      ? [
          {
            start: { type: "thinking", thinking: "" },
            deltas: [
              ...thoughts.map((thinking) => ({ type: "thinking_delta", thinking })),
              { type: "signature_delta", signature: SIGNATURE },
            ],
            whole: { type: "thinking", thinking: thoughts.join(""), signature: SIGNATURE },
          },
        ]
      : []),
    ...(text
      ? [
          {
            start: { type: "text", text: "" },
            deltas: text.map((part) => ({ type: "text_delta", text: part })),
            whole: { type: "text", text: text.join("") },
          },
        ]
      : []),
    ...calls.map(({ id, name, args }) => ({
      start: { type: "tool_use", id, name, input: {} },
      deltas: ["", ...args].map((partial_json) => ({ type: "input_json_delta", partial_json })),
      whole: { type: "tool_use", id, name, input: JSON.parse(argsOf({ args })) },
    })),
  ];
}

const error = (status: number, type: string, message: string, headers?: Record<string, string>) => ({
  status,
  body: { type: "error", error: { type, message }, request_id: "req_1" },
  ...(headers && { headers }),
});

const REFUSALS: Record<Refusal, ReturnType<typeof error>> = {
  auth: error(401, "authentication_error", "invalid x-api-key"),
  "unknown-model": error(404, "not_found_error", "model: m"),
  rate: error(429, "rate_limit_error", "This request would exceed your rate limit", { "retry-after": "7" }),
  server: error(500, "api_error", "Internal server error"),
  overloaded: error(529, "overloaded_error", "Overloaded"),
  "too-long": error(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
};

export const anthropic: Wire = {
  name: "anthropic-messages",
  model: "claude-sonnet-4-5",
  provider: { api: "anthropic-messages", apiKey: "sk-ant-0123456789" },
  basePath: "",
  contentType: "text/event-stream; charset=utf-8",
  frames(saying) {
    const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null };
    return {
      body: [
        event({
          type: "message_start",
          message: { ...message, stop_sequence: null, usage: { ...inputUsage(saying), output_tokens: 1 } },
        }),
        event({ type: "ping" }),
        ...blocksOf(saying).flatMap(({ start, deltas }, index) => [
          event({ type: "content_block_start", index, content_block: start }),
          ...deltas.map((delta) => event({ type: "content_block_delta", index, delta })),
          event({ type: "content_block_stop", index }),
        ]),
      ],
      end: [
        event({
          type: "message_delta",
          delta: { stop_reason: stopOf(saying), stop_sequence: null },
          usage: outputUsage(saying),
        }),
        event({ type: "message_stop" }),
      ],
    };
  },
  failure: () => event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
  whole: (saying) => ({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: blocksOf(saying).map(({ whole }) => whole),
    stop_reason: stopOf(saying),
    stop_sequence: null,
    usage: { ...inputUsage(saying), ...outputUsage(saying) },
  }),
  refusal: (kind) => REFUSALS[kind],
  read(json, path) {
    if (path !== "/v1/messages") throw new Error(`no such path: ${path}`);
    return {
      model: json.model,
      stream: json.stream === true,
      talk: [
        ...(json.system ?? []).map((part: Json) => ({ from: "system", text: part.text })),
        ...json.messages.flatMap(readMessage),
      ],
      tools: (json.tools ?? []).map((tool: Json) => tool.name),
      schema: json.output_config?.format?.schema,
      asked: { maxTokens: json.max_tokens, mustCall: json.tool_choice?.name },
    };
  },
};

function readMessage({ role, content }: Json): Heard[] {
  return content.map((part: Json): Heard => {
    switch (part.type) {
      case "text":
        return { from: role, text: part.text };
      case "image":
        return { from: "user", image: `data:${part.source.media_type};base64,${part.source.data}` };
      case "thinking":
        return { from: "assistant", thought: part.thinking, signature: part.signature };
      case "tool_use":
        return { from: "assistant", call: part.id, name: part.name, input: part.input };
      case "tool_result":
        return { from: "tool", result: part.tool_use_id, text: textOf(part.content) };
      default:
        throw new Error(`no such part: ${part.type}`);
    }
  });
}

const textOf = (content: Json) =>
  typeof content === "string" ? content : content.map((part: Json) => part.text).join("");

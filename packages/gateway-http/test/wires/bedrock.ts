import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";
import { argsOf, type Heard, type Json, type Refusal, type Saying, SIGNATURE, type Wire } from "./wire.ts";

const codec = new EventStreamCodec(toUtf8, fromUtf8);

function frame(kind: "event" | "exception", type: string, payload: unknown): Uint8Array {
  return codec.encode({
    headers: {
      ":message-type": { type: "string", value: kind },
      [`:${kind}-type`]: { type: "string", value: type },
      ":content-type": { type: "string", value: "application/json" },
    },
    // The real one pads its payloads.
    body: fromUtf8(JSON.stringify({ ...(payload as object), p: "abcdef" })),
  });
}

const event = (type: string, payload: unknown) => frame("event", type, payload);

const REASONS = { length: "max_tokens", content_filter: "content_filtered" };
const stopOf = ({ finish, calls }: Saying) => (finish ? REASONS[finish] : calls?.length ? "tool_use" : "end_turn");

function usageOf({ usage }: Saying) {
  const { input, cached, output } = usage ?? { input: 0, cached: 0, output: 0 };
  return {
    inputTokens: input - cached,
    outputTokens: output,
    totalTokens: input + output,
    cacheReadInputTokens: cached,
    cacheWriteInputTokens: 0,
  };
}

function blocksOf({ thoughts, text, calls = [] }: Saying): { start?: Json; deltas: Json[]; whole: Json }[] {
  return [
    ...(thoughts
      ? [
          {
            deltas: [
              ...thoughts.map((thought) => ({ reasoningContent: { text: thought } })),
              { reasoningContent: { signature: SIGNATURE } },
            ],
            whole: { reasoningContent: { reasoningText: { text: thoughts.join(""), signature: SIGNATURE } } },
          },
        ]
      : []),
    ...(text ? [{ deltas: text.map((said) => ({ text: said })), whole: { text: text.join("") } }] : []),
    ...calls.map(({ id, name, args }) => ({
      start: { toolUse: { toolUseId: id, name } },
      deltas: args.map((input) => ({ toolUse: { input } })),
      whole: { toolUse: { toolUseId: id, name, input: JSON.parse(argsOf({ args })) } },
    })),
  ];
}

const error = (status: number, type: string, message: string, headers?: Record<string, string>) => ({
  status,
  body: { message },
  headers: { "x-amzn-errortype": type, ...headers },
});

const REFUSALS: Record<Refusal, ReturnType<typeof error>> = {
  auth: error(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
  "unknown-model": error(400, "ValidationException", "The provided model identifier is invalid."),
  rate: error(429, "ThrottlingException", "Too many requests, please wait.", { "retry-after": "7" }),
  server: error(500, "InternalServerException", "The system encountered an unexpected error."),
  overloaded: error(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
  "too-long": error(400, "ValidationException", "Input is too long for requested model."),
};

export const bedrock: Wire = {
  name: "bedrock-converse-stream",
  model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  provider: { api: "bedrock-converse-stream", apiKey: "bedrock-api-key-0123456789" },
  basePath: "",
  contentType: "application/vnd.amazon.eventstream",
  frames(saying) {
    return {
      body: [
        event("messageStart", { role: "assistant" }),
        ...blocksOf(saying).flatMap(({ start, deltas }, contentBlockIndex) => [
          ...(start ? [event("contentBlockStart", { contentBlockIndex, start })] : []),
          ...deltas.map((delta) => event("contentBlockDelta", { contentBlockIndex, delta })),
          event("contentBlockStop", { contentBlockIndex }),
        ]),
      ],
      end: [
        event("messageStop", { stopReason: stopOf(saying) }),
        event("metadata", { metrics: { latencyMs: 1 }, usage: usageOf(saying) }),
      ],
    };
  },
  failure: () => frame("exception", "serviceUnavailableException", { message: "Bedrock is unable to process." }),
  whole: (saying) => ({
    metrics: { latencyMs: 1 },
    output: { message: { role: "assistant", content: blocksOf(saying).map(({ whole }) => whole) } },
    stopReason: stopOf(saying),
    usage: usageOf(saying),
  }),
  refusal: (kind) => REFUSALS[kind],
  read(json, path) {
    const [, model = "", method] = /^\/model\/([^/]+)\/([\w-]+)$/.exec(path) ?? [];
    return {
      model: decodeURIComponent(model),
      stream: method === "converse-stream",
      talk: [
        ...(json.system ?? []).map((part: Json) => ({ from: "system", text: part.text })),
        ...json.messages.flatMap(({ role, content }: Json) => content.map((part: Json) => readPart(role, part))),
      ],
      tools: (json.toolConfig?.tools ?? []).map((tool: Json) => tool.toolSpec.name),
      schema: json.additionalModelRequestFields?.output_config?.format?.schema,
      asked: { maxTokens: json.inferenceConfig?.maxTokens, mustCall: json.toolConfig?.toolChoice?.tool?.name },
    };
  },
};

function readPart(from: "user" | "assistant", part: Json): Heard {
  if (part.image) return { from: "user", image: `data:image/${part.image.format};base64,${part.image.source.bytes}` };
  if (part.reasoningContent) {
    const { text, signature } = part.reasoningContent.reasoningText;
    return { from: "assistant", thought: text, signature };
  }
  if (part.toolUse) {
    return { from: "assistant", call: part.toolUse.toolUseId, name: part.toolUse.name, input: part.toolUse.input };
  }
  if (part.toolResult) {
    const { toolUseId, content } = part.toolResult;
    return { from: "tool", result: toolUseId, text: content.map(({ text }: Json) => text).join("") };
  }
  return { from, text: part.text };
}

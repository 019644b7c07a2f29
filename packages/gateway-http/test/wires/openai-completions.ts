import { argsOf, type Heard, type Json, type Refusal, type Saying, sse, type Wire } from "./wire.ts";

const chunk = (delta: object, finish_reason: string | null = null) =>
  sse({ id: "x", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] });

const finishOf = ({ finish, calls }: Saying) => finish ?? (calls?.length ? "tool_calls" : "stop");

function usageOf({ usage }: Saying) {
  if (!usage) return undefined;
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

const error = (status: number, message: string, code: string, headers?: Record<string, string>) => ({
  status,
  body: { error: { message, type: "error", code } },
  ...(headers && { headers }),
});

const REFUSALS: Record<Refusal, ReturnType<typeof error>> = {
  auth: error(401, "Incorrect API key provided", "invalid_api_key"),
  "unknown-model": error(404, "The model `m` does not exist", "model_not_found"),
  rate: error(429, "Rate limit reached", "rate_limit_exceeded", { "retry-after": "7" }),
  server: error(500, "The server had an error", "server_error"),
  overloaded: error(503, "The engine is currently overloaded", "overloaded"),
  "too-long": error(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded"),
};

export const openaiCompletions: Wire = {
  name: "openai-completions",
  model: "gpt-5",
  provider: { api: "openai-completions", apiKey: "sk-completions-0123456789" },
  basePath: "/v1",
  contentType: "text/event-stream",
  frames(saying) {
    const { thoughts = [], text = [], calls = [] } = saying;
    const usage = usageOf(saying);
    return {
      body: [
        chunk({ role: "assistant", content: "" }),
        ...thoughts.map((reasoning_content) => chunk({ reasoning_content })),
        ...text.map((content) => chunk({ content })),
        ...calls.flatMap(({ id, name, args }, index) => [
          chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }),
          ...args.map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] })),
        ]),
      ],
      end: [chunk({}, finishOf(saying)), ...(usage ? [sse({ choices: [], usage })] : []), "data: [DONE]\n\n"],
    };
  },
  failure: () => sse({ error: { message: "The engine is currently overloaded", code: 503 } }),
  whole(saying) {
    const { thoughts, text, calls } = saying;
    const tool_calls = calls?.map((call) => ({
      id: call.id,
      type: "function",
      function: { name: call.name, arguments: argsOf(call) },
    }));
    const message = {
      role: "assistant",
      content: text?.join("") ?? null,
      ...(thoughts && { reasoning_content: thoughts.join("") }),
      ...(tool_calls && { tool_calls }),
    };
    return { choices: [{ index: 0, message, finish_reason: finishOf(saying) }], usage: usageOf(saying) };
  },
  refusal: (kind) => REFUSALS[kind],
  read(json) {
    return {
      model: json.model,
      stream: json.stream === true,
      talk: json.messages.flatMap(readMessage),
      tools: (json.tools ?? []).map((tool: Json) => tool.function.name),
      schema: json.response_format?.json_schema?.schema,
      asked: { maxTokens: json.max_tokens, mustCall: json.tool_choice?.function?.name },
    };
  },
};

function readMessage({ role, content, reasoning_content, tool_calls, tool_call_id }: Json): Heard[] {
  if (role === "tool") return [{ from: "tool", result: tool_call_id, text: content }];
  const parts: Json[] = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
  return [
    ...(reasoning_content ? [{ from: "assistant" as const, thought: reasoning_content }] : []),
    ...parts.map(
      (part): Heard =>
        part.type === "text" ? { from: role, text: part.text } : { from: "user", image: part.image_url.url },
    ),
    ...(tool_calls ?? []).map((call: Json) => ({
      from: "assistant",
      call: call.id,
      name: call.function.name,
      input: JSON.parse(call.function.arguments),
    })),
  ];
}

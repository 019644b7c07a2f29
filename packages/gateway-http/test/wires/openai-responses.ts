import { openaiCompletions } from "./openai-completions.ts";
import { argsOf, type Heard, type Json, type Saying, SIGNATURE, sse, type Wire } from "./wire.ts";

function usageOf({ usage }: Saying) {
  if (!usage) return undefined;
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  };
}

const INCOMPLETE = { length: "max_output_tokens", content_filter: "content_filter" };

const response = (saying: Saying, status: string) => ({
  id: "resp_1",
  object: "response",
  created_at: 1,
  model: "gpt-5",
  status,
  error: null,
  incomplete_details: saying.finish ? { reason: INCOMPLETE[saying.finish] } : null,
  output: [] as Json[],
  usage: status === "in_progress" ? null : usageOf(saying),
});

/** The items of an answer: how each begins, goes on and ends. */
function itemsOf({ thoughts, text, calls = [] }: Saying): { start: Json; events: Json[]; end: Json }[] {
  return [
    ...(thoughts
      ? [
          {
            start: { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "" },
            events: [
              { type: "response.reasoning_summary_part.added", item_id: "rs_1", summary_index: 0, part: {} },
              ...thoughts.map((delta) => ({
                type: "response.reasoning_summary_text.delta",
                item_id: "rs_1",
                summary_index: 0,
                delta,
              })),
              { type: "response.reasoning_summary_part.done", item_id: "rs_1", summary_index: 0, part: {} },
            ],
            end: {
              type: "reasoning",
              id: "rs_1",
              summary: [{ type: "summary_text", text: thoughts.join("") }],
              encrypted_content: SIGNATURE,
            },
          },
        ]
      : []),
    ...(text
      ? [
          {
            start: { type: "message", id: "msg_1", status: "in_progress", role: "assistant", content: [] },
            events: text.map((delta) => ({
              type: "response.output_text.delta",
              item_id: "msg_1",
              content_index: 0,
              delta,
              logprobs: [],
            })),
            end: {
              type: "message",
              id: "msg_1",
              status: "completed",
              role: "assistant",
              content: [{ type: "output_text", text: text.join(""), annotations: [], logprobs: [] }],
            },
          },
        ]
      : []),
    ...calls.map((call, index) => {
      const item = { type: "function_call", id: `fc_${index}`, call_id: call.id, name: call.name };
      return {
        start: { ...item, status: "in_progress", arguments: "" },
        events: [
          ...call.args.map((delta) => ({ type: "response.function_call_arguments.delta", item_id: item.id, delta })),
          { type: "response.function_call_arguments.done", item_id: item.id, arguments: argsOf(call) },
        ],
        end: { ...item, status: "completed", arguments: argsOf(call) },
      };
    }),
  ];
}

const statusOf = ({ finish }: Saying) => (finish ? "incomplete" : "completed");

/** https://platform.openai.com/docs/api-reference/responses-streaming */
export const openaiResponses: Wire = {
  name: "openai-responses",
  model: "gpt-5",
  provider: { api: "openai-responses", apiKey: "sk-responses-0123456789" },
  basePath: "/v1",
  contentType: "text/event-stream; charset=utf-8",
  frames(saying) {
    let sequence_number = 0;
    const event = (value: Json) => sse({ ...value, sequence_number: sequence_number++ }, value.type);
    const begun = response(saying, "in_progress");
    return {
      body: [
        event({ type: "response.created", response: begun }),
        event({ type: "response.in_progress", response: begun }),
        ...itemsOf(saying).flatMap(({ start, events, end }, output_index) => [
          event({ type: "response.output_item.added", output_index, item: start }),
          ...events.map((value) => event({ ...value, output_index })),
          event({ type: "response.output_item.done", output_index, item: end }),
        ]),
      ],
      end: [event({ type: `response.${statusOf(saying)}`, response: response(saying, statusOf(saying)) })],
    };
  },
  failure: () =>
    sse(
      {
        type: "response.failed",
        sequence_number: 99,
        response: {
          ...response({}, "failed"),
          error: { code: "server_is_overloaded", message: "Our servers are currently overloaded." },
        },
      },
      "response.failed",
    ),
  whole: (saying) => ({
    ...response(saying, statusOf(saying)),
    output: itemsOf(saying).map(({ end }) => end),
  }),
  refusal: (kind) => openaiCompletions.refusal(kind),
  read(json, path) {
    if (path !== "/v1/responses") throw new Error(`no such path: ${path}`);
    return {
      model: json.model,
      stream: json.stream === true,
      talk: json.input.flatMap(readItem),
      tools: (json.tools ?? []).map((tool: Json) => tool.name),
      schema: json.text?.format?.schema,
      asked: { maxTokens: json.max_output_tokens, mustCall: json.tool_choice?.name },
    };
  },
};

function readItem(item: Json): Heard[] {
  if (item.type === "function_call") {
    return [{ from: "assistant", call: item.call_id, name: item.name, input: JSON.parse(item.arguments) }];
  }
  if (item.type === "function_call_output") return [{ from: "tool", result: item.call_id, text: item.output }];
  if (item.type === "reasoning") {
    const thought = item.summary.map(({ text }: Json) => text).join("");
    return [{ from: "assistant", thought, signature: item.encrypted_content }];
  }
  const from = item.role === "developer" ? "system" : item.role;
  if (typeof item.content === "string") return [{ from, text: item.content }];
  return item.content.map((part: Json) =>
    part.type === "input_image" ? { from, image: part.image_url } : { from, text: part.text },
  );
}

import type { JSONObject, LanguageModelV4CallOptions, LanguageModelV4ToolChoice } from "@ai-sdk/provider";
import type { TurnParams } from "../../chat/turn.ts";
import type { ModelRequest } from "../model.ts";
import { libraryOf, type SdkApi } from "./apis.ts";
import { toPrompt } from "./to-prompt.ts";

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
const CACHED = { anthropic: { cacheControl: { type: "ephemeral" } } };

/** A request in the words of the libraries, all of which share them. What a wire cannot say it leaves out. Pure. */
export function toCallOptions({ messages, params }: ModelRequest, api: SdkApi, carry: string) {
  const { key } = libraryOf(api);
  const {
    temperature,
    top_p,
    top_k,
    frequency_penalty,
    presence_penalty,
    seed,
    stop,
    max_completion_tokens,
    max_tokens,
    reasoning_effort,
    response_format,
    tools,
    tool_choice,
    parallel_tool_calls,
    // Ours, or of the wire that this is not.
    cache,
    stream_options: _,
    ...others
  } = params as TurnParams & { top_k?: number; max_tokens?: number; cache?: unknown; stream_options?: unknown };
  const maxOutputTokens = max_completion_tokens ?? max_tokens;
  const reasoning = EFFORTS.find((effort) => effort === reasoning_effort);
  const prompt = toPrompt(messages, key, carry);
  if (api === "anthropic-messages" && cache !== false) markCached(prompt);
  const options: LanguageModelV4CallOptions = {
    prompt,
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { topP: top_p }),
    ...(top_k !== undefined && { topK: top_k }),
    ...(frequency_penalty !== undefined && { frequencyPenalty: frequency_penalty }),
    ...(presence_penalty !== undefined && { presencePenalty: presence_penalty }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && { stopSequences: [stop].flat() }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(reasoning && { reasoning }),
    ...(response_format && { responseFormat: toResponseFormat(response_format) }),
    ...(tools?.length && { tools: toTools(tools), ...(tool_choice && { toolChoice: toToolChoice(tool_choice) }) }),
    providerOptions: {
      [key]: {
        ...ownOptions(api, parallel_tool_calls, response_format),
        ...toOptionNames(others),
      },
    },
  };
  return options;
}

/** What only one of the wires has a word for. */
function ownOptions(
  api: SdkApi,
  parallel: boolean | undefined,
  format: TurnParams["response_format"],
): JSONObject | undefined {
  if (api === "anthropic-messages") return parallel === false ? { disableParallelToolUse: true } : undefined;
  if (api !== "openai-responses") return undefined;
  return {
    // Nothing depends on what the provider keeps: the reasoning comes along, encrypted.
    store: false,
    ...(parallel !== undefined && { parallelToolCalls: parallel }),
    // The library's default is OpenAI's opposite.
    ...(format?.type === "json_schema" && { strictJsonSchema: format.json_schema.strict ?? false }),
  };
}

/** The rest of the config's `params`: the libraries' own options, in their spelling or in snake case. */
function toOptionNames(params: Readonly<Record<string, unknown>>): JSONObject {
  return Object.fromEntries(
    Object.entries(params as JSONObject).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

/** The instructions, and the talk so far: what the next request begins with. */
function markCached(prompt: LanguageModelV4CallOptions["prompt"]): void {
  const [first] = prompt;
  const last = prompt.at(-1);
  if (first?.role === "system") first.providerOptions = CACHED;
  if (last) last.providerOptions = CACHED;
}

function toResponseFormat(
  format: NonNullable<TurnParams["response_format"]>,
): NonNullable<LanguageModelV4CallOptions["responseFormat"]> {
  if (format.type === "text") return { type: "text" };
  if (format.type === "json_object") return { type: "json" };
  const { name, description, schema } = format.json_schema;
  return { type: "json", name, ...(description && { description }), ...(schema && { schema }) };
}

function toTools(tools: NonNullable<TurnParams["tools"]>): NonNullable<LanguageModelV4CallOptions["tools"]> {
  return tools.map(({ function: { name, description, parameters, strict } }) => ({
    type: "function",
    name,
    ...(description != null && { description }),
    inputSchema: parameters ?? { type: "object", properties: {} },
    ...(strict != null && { strict }),
  }));
}

function toToolChoice(choice: NonNullable<TurnParams["tool_choice"]>): LanguageModelV4ToolChoice {
  if (typeof choice === "string") return { type: choice };
  return choice.type === "function" ? { type: "tool", toolName: choice.function.name } : { type: "auto" };
}

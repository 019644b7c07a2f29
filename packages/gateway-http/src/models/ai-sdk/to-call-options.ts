import type { JSONObject, LanguageModelV4CallOptions, LanguageModelV4ToolChoice } from "@ai-sdk/provider";
import type { TurnParams } from "../../chat/turn.ts";
import type { ModelRequest } from "../model.ts";
import { libraryOf, type SdkApi } from "./apis.ts";
import { cannot } from "./refuse-ignored.ts";
import { toPrompt } from "./to-prompt.ts";

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
const CACHED = { anthropic: { cacheControl: { type: "ephemeral" } } };

/**
 * A request in the words of the libraries, all of which share them. What a wire cannot say it leaves out, but for what
 * the caller relies on. Pure.
 *
 * @throws GatewayError 400 for that
 */
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
  const stopSequences = [stop ?? []].flat();
  if (api === "openai-responses" && stopSequences.length > 0) throw cannot("stop");
  const responseFormat = response_format && toResponseFormat(response_format);
  if (api === "bedrock-converse-stream" && responseFormat?.type === "json" && !responseFormat.schema) {
    throw cannot("response_format");
  }
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
    ...(stopSequences.length > 0 && { stopSequences }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(reasoning && { reasoning }),
    ...(responseFormat && { responseFormat }),
    ...toToolOptions(api, prompt, tools, tool_choice),
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
  if (api === "anthropic-messages") {
    // The library asks for it in streams alone: then a request in one piece would not find their prompt in the cache.
    return { toolStreaming: false, ...(parallel === false && { disableParallelToolUse: true }) };
  }
  if (api !== "openai-responses") return undefined;
  return {
    // Nothing depends on what the provider keeps: the reasoning comes along, encrypted.
    store: false,
    // With an effort the library would ask for a summary, too, which OpenAI gives to some organizations alone.
    reasoningSummary: null,
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
  const { name, description, schema } = format.type === "json_schema" ? format.json_schema : {};
  // Without a schema any object will do.
  return schema
    ? { type: "json", schema, ...(name && { name }), ...(description && { description }) }
    : { type: "json" };
}

type ToolOptions = Pick<LanguageModelV4CallOptions, "tools" | "toolChoice">;

function toToolOptions(
  api: SdkApi,
  prompt: LanguageModelV4CallOptions["prompt"],
  tools: TurnParams["tools"] = [],
  choice?: TurnParams["tool_choice"],
): ToolOptions {
  // Bedrock takes calls and results only together with tools, and has no word for not calling any.
  const called = api === "bedrock-converse-stream" ? calledIn(prompt) : [];
  if (called.length > 0 && (tools.length === 0 || choice === "none")) {
    return { tools: tools.length > 0 ? toTools(tools) : called.map((name) => toTool(name)) };
  }
  if (tools.length === 0) return {};
  return { tools: toTools(tools), ...(choice && { toolChoice: toToolChoice(choice) }) };
}

/** The names of the tools that a talk speaks of, as Bedrock's library writes them. */
function calledIn(prompt: LanguageModelV4CallOptions["prompt"]): string[] {
  const names = prompt.flatMap(({ content }) =>
    typeof content === "string"
      ? []
      : content.flatMap((part) => (part.type === "tool-call" || part.type === "tool-result" ? [part.toolName] : [])),
  );
  return [...new Set(names.map((name) => name.replace(/[^a-zA-Z0-9_-]/g, "") || "_"))];
}

const toTool = (name: string) => ({
  type: "function" as const,
  name,
  inputSchema: { type: "object" as const, properties: {} },
});

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

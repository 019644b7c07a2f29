import { argsOf, type Heard, type Json, type Refusal, type Saying, SIGNATURE, sse, type Wire } from "./wire.ts";

const REASONS = { length: "MAX_TOKENS", content_filter: "SAFETY" };

function usageOf({ usage }: Saying) {
  if (!usage) return undefined;
  const { input, cached, output, reasoning } = usage;
  return {
    promptTokenCount: input,
    cachedContentTokenCount: cached,
    // Google counts what was thought apart.
    candidatesTokenCount: output - reasoning,
    thoughtsTokenCount: reasoning,
    totalTokenCount: input + output,
  };
}

function partsOf({ thoughts = [], text = [], calls = [] }: Saying): Json[] {
  return [
    ...thoughts.map((thought) => ({ text: thought, thought: true })),
    ...text.map((said) => ({ text: said })),
    // A call comes whole, the first one signed.
    ...calls.map((call, index) => ({
      functionCall: { id: call.id, name: call.name, args: JSON.parse(argsOf(call)) },
      ...(index === 0 && { thoughtSignature: SIGNATURE }),
    })),
  ];
}

const candidate = (parts: Json[], finishReason?: string) => ({
  content: { role: "model", parts },
  index: 0,
  ...(finishReason && { finishReason }),
});

const finishOf = ({ finish }: Saying) => (finish ? REASONS[finish] : "STOP");

const error = (code: number, status: string, message: string, details?: Json[]) => ({
  status: code,
  body: { error: { code, message, status, ...(details && { details }) } },
});

const REFUSALS: Record<Refusal, ReturnType<typeof error>> = {
  auth: error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
  "unknown-model": error(404, "NOT_FOUND", "models/m is not found for API version v1beta"),
  rate: error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", [
    { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "6.6s" },
  ]),
  server: error(500, "INTERNAL", "An internal error has occurred"),
  overloaded: error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
  "too-long": error(
    400,
    "INVALID_ARGUMENT",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
  ),
};

export const google: Wire = {
  name: "google-generative-ai",
  model: "gemini-3-pro-preview",
  provider: { api: "google-generative-ai", apiKey: "AIza0123456789abcdef" },
  basePath: "/v1beta",
  contentType: "text/event-stream",
  frames(saying) {
    const parts = partsOf(saying);
    return {
      body: parts.map((part) => sse({ candidates: [candidate([part])], modelVersion: "m" })),
      end: [sse({ candidates: [candidate([{ text: "" }], finishOf(saying))], usageMetadata: usageOf(saying) })],
    };
  },
  failure: () => sse(error(503, "UNAVAILABLE", "The model is overloaded.").body),
  whole: (saying) => ({
    candidates: [candidate(partsOf(saying), finishOf(saying))],
    usageMetadata: usageOf(saying),
  }),
  refusal: (kind) => REFUSALS[kind],
  read(json, path) {
    const [, model = "", method] = /^\/v1beta\/models\/([^:]+):(\w+)/.exec(path) ?? [];
    const waiting: string[] = [];
    return {
      model,
      stream: method === "streamGenerateContent",
      talk: [
        ...(json.systemInstruction?.parts ?? []).map((part: Json) => ({ from: "system", text: part.text })),
        ...json.contents.flatMap(({ role, parts }: Json) => parts.map((part: Json) => readPart(role, part, waiting))),
      ],
      tools: (json.tools ?? []).flatMap((tool: Json) => tool.functionDeclarations.map(({ name }: Json) => name)),
      schema: json.generationConfig?.responseJsonSchema ?? json.generationConfig?.responseSchema,
      asked: {
        maxTokens: json.generationConfig?.maxOutputTokens,
        mustCall: json.toolConfig?.functionCallingConfig?.allowedFunctionNames?.[0],
      },
    };
  },
};

/** @param waiting ids of the calls that have no result yet */
function readPart(role: string, part: Json, waiting: string[]): Heard {
  const from = role === "model" ? "assistant" : "user";
  if (part.functionCall) {
    const { id, name, args } = part.functionCall;
    waiting.push(id);
    const signature = part.thoughtSignature;
    return { from: "assistant", call: id, name, input: args, ...(signature && { signature }) };
  }
  if (part.functionResponse) {
    const { id, response } = part.functionResponse;
    return { from: "tool", result: id ?? waiting.shift() ?? "", text: response.content ?? response.output };
  }
  if (part.inlineData)
    return { from: "user", image: `data:${part.inlineData.mimeType};base64,${part.inlineData.data}` };
  if (part.thought) return { from: "assistant", thought: part.text };
  return { from, text: part.text };
}

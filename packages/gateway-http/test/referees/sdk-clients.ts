import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import OpenAI from "openai";
import { TOKEN } from "../support/start-gateway.ts";

/** The three published clients, set up as their own manuals say, for the default agent of this gateway. */
export const openaiOf = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: TOKEN, maxRetries: 0 });

export const aiSdkOf = (url: string) =>
  createOpenAICompatible({ name: "openclaw", baseURL: `${url}/v1`, apiKey: TOKEN, includeUsage: true })("openclaw");

export const langChainOf = (url: string, user?: string): ChatOpenAI =>
  new ChatOpenAI({
    model: "openclaw",
    apiKey: TOKEN,
    maxRetries: 0,
    configuration: { baseURL: `${url}/v1` },
    ...(user !== undefined && { user }),
  });

/** What the model may call, as a request says it. */
export const SUM_SCHEMA = {
  type: "object" as const,
  properties: { a: { type: "number" as const } },
  required: ["a"],
  additionalProperties: false,
};
export const NOW_SCHEMA = { type: "object" as const, properties: {}, additionalProperties: false };
export const TOOLS: OpenAI.ChatCompletionFunctionTool[] = [
  { type: "function", function: { name: "sum", description: "adds one", parameters: SUM_SCHEMA } },
  { type: "function", function: { name: "now", description: "the time", parameters: NOW_SCHEMA } },
];

/** What the model calls: two at once. */
export const CALLS = [
  { id: "call_a", type: "function", function: { name: "sum", arguments: '{"a": 4}' } },
  { id: "call_b", type: "function", function: { name: "now", arguments: "{}" } },
];

/** What running them gives. */
export const sum = ({ a }: { a: number }): string => String(a + 1);
export const now = (): string => "noon";

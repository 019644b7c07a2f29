import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import { type Connect, MODEL, QUESTION, TOKEN } from "../target.ts";

export const connect: Connect = (baseURL) => {
  const model = createOpenAICompatible({ name: "openclaw", baseURL, apiKey: TOKEN })(MODEL);
  return async (onText) => {
    for await (const text of streamText({ model, prompt: QUESTION }).textStream) onText(text);
  };
};

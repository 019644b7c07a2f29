import OpenAI from "openai";
import { type Connect, MODEL, QUESTION, TOKEN } from "../target.ts";

export const connect: Connect = (baseURL) => {
  const client = new OpenAI({ baseURL, apiKey: TOKEN });
  return async (onText) => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: QUESTION }],
      stream: true,
    });
    for await (const chunk of stream) onText(chunk.choices[0]?.delta.content ?? "");
  };
};

import { createClient } from "@openclaw/client";
import { type Connect, MODEL, QUESTION, TOKEN } from "../target.ts";

export const connect: Connect = (baseUrl) => {
  const client = createClient({ baseUrl, token: TOKEN });
  return async (onText) => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: QUESTION }],
      stream: true,
    });
    for await (const chunk of stream) onText(chunk.choices[0]?.delta.content ?? "");
  };
};

import { jsonSchema, parseJsonEventStream } from "ai";
import { ask, type Chunk } from "../ask.ts";
import type { Connect } from "../target.ts";

/** The AI SDK's event stream alone, checked against no schema. */
export const connect: Connect = (baseUrl) => async (onText) => {
  const stream = await ask(baseUrl);
  const results = parseJsonEventStream({ stream, schema: jsonSchema<Chunk>({}) }).getReader();
  for (let next = await results.read(); !next.done; next = await results.read()) {
    if (!next.value.success) throw next.value.error;
    onText(next.value.value.choices[0]?.delta.content ?? "");
  }
};

import { createParser } from "eventsource-parser";
import { ask, type Chunk } from "../ask.ts";
import type { Connect } from "../target.ts";

/** The least that reads such a stream: no errors, no end, no iterator, nothing kept. */
export const connect: Connect = (baseUrl) => async (onText) => {
  const reader = (await ask(baseUrl)).getReader();
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent({ data }) {
      if (data !== "[DONE]") onText((JSON.parse(data) as Chunk).choices[0]?.delta.content ?? "");
    },
  });
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parser.feed(decoder.decode(next.value, { stream: true }));
  }
};

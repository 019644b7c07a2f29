import { MODEL, QUESTION, TOKEN } from "./target.ts";

/** As far as it is read. */
export interface Chunk {
  choices: { delta: { content?: string } }[];
}

/** The event stream of an answer, by `fetch` alone. */
export async function ask(baseUrl: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: QUESTION }], stream: true }),
  });
  if (!response.ok || !response.body) throw new Error(`Answered with ${response.status}.`);
  return response.body;
}

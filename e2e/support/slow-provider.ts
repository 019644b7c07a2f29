import { createServer, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "./listen.ts";
import { type Random, seeded } from "./seeded.ts";

export interface Message {
  role: string;
  content: string;
}

export interface SlowProvider {
  baseUrl: string;
  /** Calls that were not answered whole yet. */
  readonly active: number;
}

/**
 * A provider that takes its time: every answer is another text and comes in several pieces, 0 to 20 ms apart.
 * @param onCall told of every call before a word is said, and of the whole answer it will get
 */
export async function startSlowProvider(
  seed: string,
  onCall: (messages: Message[], answer: string) => void,
): Promise<SlowProvider> {
  const random = seeded(seed);
  let calls = 0;
  let active = 0;
  const server = createServer(async (request, response) => {
    // Killed in the middle of its request, the gateway has asked nothing.
    const body = (await json(request).catch(() => undefined)) as { messages: Message[]; stream?: boolean } | undefined;
    if (!body) return;
    const { messages, stream } = body;
    active += 1;
    response.once("close", () => {
      active -= 1;
    });
    calls += 1;
    const pieces = [`Answer ${calls} to “${messages.at(-1)?.content.slice(0, 40)}”:`];
    for (let left = random.between(2, 7); left > 0; left--) pieces.push(` ${"wörd 🦞 ".repeat(random.between(1, 30))}`);
    pieces.push(`end of ${calls}.`);
    onCall(messages, pieces.join(""));
    if (stream) await speak(response, pieces, random);
    else {
      await delay(random.between(0, 100));
      if (response.destroyed) return;
      const message = { role: "assistant", content: pieces.join("") };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }));
    }
  });
  const baseUrl = await listen(server);
  return {
    baseUrl,
    get active() {
      return active;
    },
  };
}

async function speak(response: ServerResponse, pieces: readonly string[], random: Random): Promise<void> {
  const event = (delta: object, reason: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  for (const content of pieces) {
    await delay(random.between(0, 20));
    if (response.destroyed) return;
    response.write(event({ content }));
  }
  response.end(`${event({}, "stop")}data: [DONE]\n\n`);
}

import OpenAI from "openai";
import { expect } from "vitest";
import { z } from "zod";
import { type ProviderGatewayOptions, startWithProvider } from "../support/provider-gateway.ts";
import type { Script } from "../support/stand-in-provider.ts";
import { TOKEN } from "../support/start-gateway.ts";

export const Person = z.object({ name: z.string(), age: z.int() });
export const ANN = '{"name":"Ann","age":3}';
export const USAGE = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };
export const messages = [{ role: "user" as const, content: "Who?" }];

/** A gateway whose model answers these, one after the other, in pieces; and OpenAI's client of it. */
export async function startStructured(
  says: readonly string[] | Script,
  mode?: "native" | "prompt",
  more: Pick<ProviderGatewayOptions, "agent" | "config"> = {},
) {
  const script: Script =
    typeof says === "function"
      ? says
      : async (exchange, index) => {
          const text = says[Math.min(index, says.length - 1)] ?? "";
          exchange.open();
          for (const piece of text.match(/.{1,5}/gs) ?? []) await exchange.say(piece);
          exchange.finish("stop", USAGE);
        };
  const started = await startWithProvider({
    script,
    ...more,
    provider: { models: [{ id: "in", ...(mode && { structuredOutput: mode }) }] },
  });
  const client = new OpenAI({ baseURL: `${started.url}/v1`, apiKey: TOKEN, maxRetries: 0 });
  return {
    ...started,
    client,
    /** What the provider was sent, one entry for each time it was asked. */
    sent: () => started.provider.exchanges.map(({ json }) => json),
    /** The words of the last message that the provider was sent. */
    lastSaid: () => expectText(started.provider.exchanges.at(-1)?.json.messages.at(-1)?.content),
  };
}

function expectText(content: unknown): string {
  expect(typeof content).toBe("string");
  return content as string;
}

/** Reads a stream to its end; told of all that came so far each time that more came. */
export async function readLive(response: Response, onMore: (soFar: string) => void): Promise<string> {
  let text = "";
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    onMore(text);
  }
  return text;
}

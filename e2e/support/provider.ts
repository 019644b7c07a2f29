import { createServer, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { listen } from "./listen.ts";
import { SECRETS } from "./run-bin.ts";

export interface ProviderCall {
  messages: unknown;
  authorization: string | undefined;
  /** Writes one token. */
  say(text: string): void;
  /** Ends it by calling this tool, without arguments. */
  use(tool: string): void;
  /** Ends the stream as a provider does. */
  finish(): void;
  /** Settles when the connection is gone. */
  closed: Promise<void>;
}

/**
 * A provider whose answers the test writes by hand, token by token.
 * @param onEnd told how to close it; by default it closes with the test
 */
export async function startProvider(
  onEnd?: (close: () => void) => void,
): Promise<{ baseUrl: string; call(): Promise<ProviderCall> }> {
  const calls: ProviderCall[] = [];
  const waiting: ((call: ProviderCall) => void)[] = [];
  const server = createServer(async (request, response) => {
    const { messages } = (await json(request)) as { messages: unknown };
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const call = toCall(messages, request.headers.authorization, response);
    const taker = waiting.shift();
    if (taker) taker(call);
    else calls.push(call);
  });
  const baseUrl = await listen(server, onEnd);
  return {
    baseUrl,
    call: async () => calls.shift() ?? new Promise((resolve) => waiting.push(resolve)),
  };
}

/** A config whose one agent `main` is a model of that provider. */
export function configFor(baseUrl: string): string {
  return JSON.stringify({
    gateway: {
      auth: { mode: "token", token: SECRETS.token },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    models: { providers: { stand: { baseUrl, apiKey: SECRETS.providerKey } } },
    agents: { list: [{ id: "main", model: "stand/in" }] },
  });
}

function toCall(messages: unknown, authorization: string | undefined, response: ServerResponse): ProviderCall {
  const event = (delta: object, reason: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  return {
    messages,
    authorization,
    say: (content) => void response.write(event({ content })),
    use(name) {
      const call = { index: 0, id: name, type: "function", function: { name, arguments: "{}" } };
      response.end(`${event({ tool_calls: [call] })}${event({}, "tool_calls")}data: [DONE]\n\n`);
    },
    finish: () => void response.end(`${event({}, "stop")}data: [DONE]\n\n`),
    closed: new Promise((resolve) => response.once("close", resolve)),
  };
}

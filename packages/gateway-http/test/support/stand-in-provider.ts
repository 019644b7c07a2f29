import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextLoop } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** One request that reached the provider, and the pen to answer it with. */
interface Exchange {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The bytes as they came. */
  readonly body: Buffer;
  /** Those bytes parsed. */
  readonly json: { model: string; messages: { role: string; content: unknown }[]; stream: boolean } & Record<
    string,
    unknown
  >;
  /** The port the request came from: the same one means the same connection. */
  readonly peerPort: number;
  /** Settles when the connection is gone; `early` when that was before the answer's end. */
  readonly closed: Promise<{ early: boolean }>;
  /** Answers 200 with events; write what you like after it. */
  open(headers?: Record<string, string>): Exchange;
  /** Says "102 Processing": an answer will come. */
  processing(): void;
  /** Writes bytes as they are; resolves when they were handed to the system, `false` when the peer is gone. */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** Writes one byte at a time, each in its own turn of the loop. */
  trickle(text: string): Promise<void>;
  /** Writes an event with a chunk of this delta. */
  say(content: string): Promise<boolean>;
  /** Writes an event with this object. */
  event(value: unknown): Promise<boolean>;
  /** Ends a stream as it should be: finish chunk, usage, `[DONE]`. */
  finish(finishReason?: string, usage?: object): void;
  end(bytes?: string): void;
  /** Cuts the connection. */
  destroy(): void;
  /** Answers at once, not streamed. */
  answer(status: number, body: unknown, headers?: Record<string, string>): void;
}

export interface StandInProvider {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly exchanges: readonly Exchange[];
  /** The next request nobody took yet. */
  next(): Promise<Exchange>;
}

export type Script = (exchange: Exchange, index: number) => void | Promise<void>;

/** An OpenAI-compatible provider over real HTTP. Answers by `script`, or by hand through `next()`. */
export async function startProvider(script?: Script): Promise<StandInProvider> {
  const exchanges: Exchange[] = [];
  const waiting: ((exchange: Exchange) => void)[] = [];
  const untaken: Exchange[] = [];
  const server = createServer(async (request, response) => {
    const exchange = await receive(request, response).catch(() => undefined);
    if (!exchange) return;
    exchanges.push(exchange);
    if (script) await script(exchange, exchanges.length - 1);
    else if (waiting.length > 0) waiting.shift()?.(exchange);
    else untaken.push(exchange);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    exchanges,
    next: async () => untaken.shift() ?? new Promise((resolve) => waiting.push(resolve)),
  };
}

/** An event of a stream, as OpenAI writes it. */
export function chunk(delta: object, finishReason: string | null = null): object {
  return {
    id: "chatcmpl-provider",
    object: "chat.completion.chunk",
    created: 1,
    model: "in",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  };
}

/** A whole answer. */
export function completion(content: string, more: object = {}): object {
  return { choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }], ...more };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<Exchange> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const closed = new Promise<{ early: boolean }>((resolve) => {
    response.once("close", () => resolve({ early: !response.writableFinished }));
  });
  const write = (bytes: string | Uint8Array) =>
    new Promise<boolean>((resolve) => {
      if (response.destroyed) return resolve(false);
      void closed.then(() => resolve(false));
      response.write(bytes, (error) => resolve(!error));
    });
  const exchange: Exchange = {
    path: request.url ?? "",
    headers: request.headers,
    body,
    json: JSON.parse(body.toString("utf8")),
    peerPort: request.socket.remotePort ?? 0,
    closed,
    open(headers = {}) {
      response.writeHead(200, { "content-type": "text/event-stream", ...headers });
      response.flushHeaders();
      return exchange;
    },
    processing: () => response.writeProcessing(),
    write,
    async trickle(text) {
      for (const byte of Buffer.from(text)) {
        await write(Uint8Array.of(byte));
        await nextLoop();
      }
    },
    event: (value) => write(`data: ${JSON.stringify(value)}\n\n`),
    say: (content) => exchange.event(chunk({ content })),
    finish(finishReason = "stop", usage) {
      const events = [chunk({}, finishReason), ...(usage ? [{ choices: [], usage }] : [])];
      response.end(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`);
    },
    end: (bytes = "") => void response.end(bytes),
    destroy: () => void response.destroy(),
    answer(status, value, headers = {}) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const type = typeof value === "string" ? "text/html" : "application/json";
      response.writeHead(status, { "content-type": type, ...headers }).end(text);
    },
  };
  return exchange;
}

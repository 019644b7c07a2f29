import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type RequestBody, readAsk } from "../ask.ts";
import { microsNow } from "../clock.ts";
import { AnswerStream } from "../stand-in/answer-stream.ts";
import { plainFrames, toCompletion, usageFrames } from "../stand-in/frames.ts";
import { misbehave, readFault } from "./faults.ts";

export type Provider = {
  port: number;
  /** Answers under way. None may stay when nobody waits for one. */
  readonly open: number;
  close(): void;
};

/** The stand-in with faults and with calls of tools, in the soak's own process. */
export async function startProvider(): Promise<Provider> {
  const open = new Set<ServerResponse>();
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, async (request, response) => {
    open.add(response);
    response.once("close", () => open.delete(response));
    const body = await readBody(request);
    if (body !== undefined) answer(body, response);
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return open.size;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `undefined` when the gateway went away in the middle of its request. */
async function readBody(request: IncomingMessage): Promise<RequestBody | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

function answer(body: RequestBody, response: ServerResponse): void {
  const { content = "" } = body.messages?.findLast(({ role }) => role === "user") ?? {};
  const text = typeof content === "string" ? content : content.map((part) => part.text ?? "").join(" ");
  const stream = body.stream === true;
  const fault = readFault(text);
  const isAsked = body.messages?.at(-1)?.role === "user";
  if (fault) misbehave(fault, response, stream);
  else if (/\bflood=1\b/.test(text)) flood(response);
  else if (/\bcall=1\b/.test(text) && isAsked) callTools(response, stream);
  else if (stream) speak(body, response);
  else {
    const bytes = toCompletion(readAsk(body).tokens, microsNow());
    response.writeHead(200, { "content-type": "application/json", "content-length": bytes.length }).end(bytes);
  }
}

function speak(body: RequestBody, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const frames = body.stream_options?.include_usage ? usageFrames : plainFrames;
  new AnswerStream(response, response.socket as Socket, readAsk(body), frames);
}

/** More than all buffers on the way hold, in few big pieces: it is to be held up, not to be work. */
function flood(response: ServerResponse): void {
  const frame = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "x".repeat(2 ** 16) } }] })}\n\n`;
  let left = 1000;
  response.writeHead(200, { "content-type": "text/event-stream" });
  const fill = () => {
    while (left-- > 0) if (!response.write(frame)) return response.once("drain", fill);
    return response.end("data: [DONE]\n\n");
  };
  fill();
}

/** Two calls of the tools that `tool-server.ts` has. */
function callTools(response: ServerResponse, stream: boolean): void {
  const tool_calls = [0, 1].map((index) => ({
    index,
    id: `call_${index}`,
    type: "function",
    function: { name: `bench__tool_${index}`, arguments: '{"path":"/"}' },
  }));
  const message = { role: "assistant", content: null, tool_calls };
  if (!stream) {
    const choices = [{ index: 0, message, finish_reason: "tool_calls" }];
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices }));
    return;
  }
  const frame = (delta: object, finish_reason: string | null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(`${frame(message, null)}${frame({}, "tool_calls")}data: [DONE]\n\n`);
}

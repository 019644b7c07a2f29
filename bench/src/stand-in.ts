/**
 * The provider stand-in: an OpenAI-compatible server that says as many tokens as the user's message asks for, each
 * carrying the time it was written. Run by itself: `node bench/src/stand-in.ts <port>`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type RequestBody, readAsk } from "./ask.ts";
import { microsNow } from "./clock.ts";
import { AnswerStream, readStats, releaseHeld } from "./stand-in/answer-stream.ts";
import { plainFrames, toCompletion, usageFrames } from "./stand-in/frames.ts";

/** Messages of all requests so far: whether a session's history was really sent along. */
let messages = 0;

// Never the first to close an idle connection: a pool that reuses it at that moment would count as a failure.
const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, (request, response) => {
  if (request.url === "/v1/chat/completions" && request.method === "POST") readBody(request, response);
  else if (request.url === "/control/release") {
    releaseHeld();
    response.end("{}");
  } else if (request.url === "/control/stats") response.end(JSON.stringify({ ...readStats(), messages }));
  else if (request.url === "/readyz") response.end("ok");
  else response.writeHead(404).end();
});

function readBody(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    try {
      answer(response, JSON.parse(bytes.toString()));
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ error: { message: String(error) } }));
    }
  });
}

function answer(response: ServerResponse, body: RequestBody): void {
  const ask = readAsk(body);
  messages += body.messages?.length ?? 0;
  if (body.stream) {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
    new AnswerStream(
      response,
      response.socket as Socket,
      ask,
      body.stream_options?.include_usage ? usageFrames : plainFrames,
    );
    return;
  }
  const bytes = toCompletion(ask.tokens, microsNow());
  response.writeHead(200, { "content-type": "application/json", "content-length": bytes.length }).end(bytes);
}

// 2,000 streams may connect faster than one turn of the loop accepts them.
server.listen({ port: Number(process.argv[2] ?? 0), host: "127.0.0.1", backlog: 4096 });
// The channel closes when the bench dies, however it dies.
process.on("disconnect", () => process.exit());

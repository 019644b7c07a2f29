import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextLoop } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { anthropic } from "./anthropic.ts";
import { bedrock } from "./bedrock.ts";
import { google } from "./google.ts";
import { openaiCompletions } from "./openai-completions.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { Asked, Refusal, Saying, Wire } from "./wire.ts";

export const WIRES: readonly Wire[] = [openaiCompletions, anthropic, google, openaiResponses, bedrock];

/** What a provider does when it is asked once: it says something, refuses, or is silent. */
export type Step = Saying | Refusal | Raw | "silent" | "html";

/** An answer with 200, as it goes over the wire. */
interface Raw {
  contentType: string;
  pieces: readonly (string | Uint8Array)[];
}

export interface StandIn {
  /** As the config wants it. */
  readonly baseUrl: string;
  readonly asked: readonly Asked[];
  /** Settles when the connection of the request at this place is gone; `early` when that was before the answer's end. */
  closed(index: number): Promise<{ early: boolean }>;
}

/** A provider on a real port that speaks this wire and does these steps, the last one again and again. */
export async function startWire(wire: Wire, steps: readonly Step[]): Promise<StandIn> {
  const asked: Asked[] = [];
  const ends: PromiseWithResolvers<{ early: boolean }>[] = [];
  const end = (index: number) => (ends[index] ??= Promise.withResolvers());
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = JSON.parse(await readText(request));
    const { stream, ...heard } = wire.read(json, request.url?.split("?")[0] ?? "");
    const index = asked.length;
    response.once("close", () => end(index).resolve({ early: !response.writableFinished }));
    asked.push({ ...heard, json, headers: request.headers, peerPort: request.socket.remotePort });
    await answer(wire, steps[Math.min(index, steps.length - 1)] as Step, stream, response);
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}${wire.basePath}`, asked, closed: (index) => end(index).promise };
}

async function answer(wire: Wire, step: Step, stream: boolean, response: ServerResponse): Promise<void> {
  if (step === "silent") return;
  if (step === "html") {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>welcome</html>");
    return;
  }
  if (typeof step === "string") {
    const { status, body, headers } = wire.refusal(step);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    return;
  }
  if ("pieces" in step) {
    response.writeHead(200, { "content-type": step.contentType });
    for (const piece of step.pieces) {
      if (response.destroyed) return;
      response.write(piece);
      await nextLoop();
    }
    return void response.end();
  }
  if (!stream) {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(wire.whole(step)));
    return;
  }
  response.writeHead(200, { "content-type": wire.contentType });
  const { body, end } = wire.frames(step);
  for (const frame of body) {
    response.write(frame);
    await nextLoop();
  }
  if (step.instead === "stalls") return;
  if (step.instead === "is-cut") return void response.destroy();
  if (step.instead === "ends-early") return void response.end();
  if (step.instead === "fails") return void response.end(wire.failure());
  for (const frame of end) response.write(frame);
  response.end();
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

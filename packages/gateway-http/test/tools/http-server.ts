import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { published } from "./start-tools.ts";

/** server-everything over streamable HTTP, as a process that can be ended and started again. */
export async function startEverything(port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [published("everything"), "streamableHttp"], {
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  for await (const text of child.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
    if (String(text).includes("listening")) break;
  }
  child.stderr?.resume();
  return child;
}

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

type Answer = (message: Message, response: ServerResponse, request: IncomingMessage) => unknown;

export const sendJson = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
};

/** An MCP server by hand, without a stream for news. A session's end comes as a message `DELETE`. @returns its URL */
export async function serveByHand(answer: Answer): Promise<string> {
  const server = createServer(async (request, response) => {
    if (request.method === "GET") return response.writeHead(405).end();
    if (request.method === "DELETE") return answer({ method: "DELETE" }, response, request);
    let body = "";
    for await (const text of request.setEncoding("utf8")) body += text;
    answer(JSON.parse(body), response, request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

/** The part of a server before calls, in the protocol of 2025, with one tool. */
export function introduce({ id, method, params }: Message, response: ServerResponse): boolean {
  const answer = (result: unknown) => sendJson(response, { jsonrpc: "2.0", id, result });
  if (method === "initialize") {
    const { protocolVersion } = params ?? {};
    answer({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "by hand", version: "1" } });
  } else if (method === "tools/list") answer({ tools: [{ name: "call", inputSchema: { type: "object" } }] });
  else if (id === undefined) response.writeHead(202).end();
  else if (method === "server/discover") {
    sendJson(response, { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } });
  } else return false;
  return true;
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createClient } from "../../src/index.ts";

type Handler = (response: ServerResponse, request: IncomingMessage) => unknown;

interface Options {
  maxRetries?: number;
  /** Leaves the request's body to the handler, which is called at once. */
  keepBody?: boolean;
}

/** A server that does what the test says, and a client of it that never retries. */
export async function startServer(handle: Handler, { maxRetries = 0, keepBody = false }: Options = {}) {
  const server = createServer((request, response) => {
    if (keepBody) return void handle(response, request);
    request.resume();
    request.once("end", () => handle(response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, client: createClient({ baseUrl, token: "test-token-0123456789", maxRetries }) };
}

/** The connection is gone before the answer was whole. */
export const gone = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    response.once("close", () => {
      if (!response.writableFinished) resolve();
    });
  });

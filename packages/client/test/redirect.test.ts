import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { startServer } from "./support/raw-server.ts";
import { HELLO, SSE } from "./support/wire.ts";

/** Somebody else's, and how often it was asked. */
async function startOther() {
  const other = { asked: 0, origin: "" };
  const server = createServer((request, response) => {
    other.asked++;
    request.resume();
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  other.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return other;
}

test.each([301, 302, 303, 307, 308])("a %i to another origin is not followed, and named", async (status) => {
  const other = await startOther();
  const { client } = await startServer(
    (response) => response.writeHead(status, { location: `${other.origin}/v1/x?secret` }).end(),
    { maxRetries: 2 },
  );
  for (const call of [() => client.chat.completions.create(hi), () => client.models.list()]) {
    const failure = await failureOf(call());
    expect(failure).toMatchObject({ name: "APIError", status });
    expect(failure.message).toBe(`Redirected to ${other.origin}. Is \`baseUrl\` the gateway's address?`);
  }
  expect(other.asked).toBe(0);
});

test.each([307, 308])("a %i to the same origin is followed, with all of the request", async (status) => {
  const seen: unknown[] = [];
  const { client } = await startServer((response, request) => {
    seen.push([request.method, request.url, request.headers.authorization]);
    if (seen.length === 1) return response.writeHead(status, { location: "/moved/here" }).end();
    return response.writeHead(200, SSE).end(HELLO);
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await stream.text()).toBe("Hello");
  expect(seen).toEqual([
    ["POST", "/v1/chat/completions", "Bearer test-token-0123456789"],
    ["POST", "/moved/here", "Bearer test-token-0123456789"],
  ]);
});

test("redirects without end are not followed without end", async () => {
  let asked = 0;
  const { client } = await startServer((response) => response.writeHead(307, { location: `/v1/${++asked}` }).end());
  expect(await failureOf(client.models.list())).toMatchObject({ name: "APIError", status: 307 });
  expect(asked).toBe(6);
});

test("a redirect that a page cannot see is an error that says so", async () => {
  const seen: unknown[] = [];
  const client = makeClient({
    fetch: async (_, { redirect }) => {
      seen.push(redirect);
      // Its status is 0, like that of what a page gets.
      return Response.error();
    },
  });
  expect(await failureOf(client.models.list())).toMatchObject({
    name: "APIError",
    status: 0,
    message: expect.stringMatching(/^Redirected to an opaque place\./),
  });
  expect(seen).toEqual(["manual"]);
});

test("a redirect to nowhere is an error like any other", async () => {
  const client = makeClient({ maxRetries: 0, fetch: async () => new Response("moved", { status: 308 }) });
  expect(await failureOf(client.models.list())).toMatchObject({ status: 308, message: "HTTP 308: moved" });
});

test("the body of what is no answer is not left open", async () => {
  let isCancelled = false;
  const body = new ReadableStream({
    cancel: () => {
      isCancelled = true;
    },
  });
  const client = makeClient({ fetch: async () => new Response(body, { headers: { "content-type": "text/html" } }) });
  await failureOf(client.models.list());
  expect(isCancelled).toBe(true);
});

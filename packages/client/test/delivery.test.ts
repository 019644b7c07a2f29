import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { hi } from "./support/client.ts";
import { gone, startServer } from "./support/raw-server.ts";
import { DONE, finish, HELLO, SSE, say } from "./support/wire.ts";

test("chunks are given as they come", async () => {
  const begun = Promise.withResolvers<ServerResponse>();
  const { client } = await startServer((response) => {
    response.writeHead(200, SSE).flushHeaders();
    begun.resolve(response);
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const response = await begun.promise;
  const chunks = stream[Symbol.asyncIterator]();
  // Each is written after the one before was read.
  for (const text of ["one", "two", "three"]) {
    response.write(say(text));
    expect((await chunks.next()).value).toMatchObject({ choices: [{ delta: { content: text } }] });
  }
  response.end(finish() + DONE);
  expect((await chunks.next()).value).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
});

test("what comes after [DONE] is ignored, and a server that does not close is not waited for", async () => {
  const left = Promise.withResolvers<void>();
  const { client } = await startServer((response) => {
    void gone(response).then(left.resolve);
    response.writeHead(200, SSE).write(`${HELLO}data: garbage\n\n`);
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await stream.text()).toBe("Hello");
  stream.abort();
  expect(await stream.text()).toBe("Hello");
  await left.promise;
});

test("streams one after the other share a connection", async () => {
  const { client, server } = await startServer((response) => response.writeHead(200, SSE).end(HELLO));
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  for (let turn = 0; turn < 5; turn++) {
    const stream = await client.chat.completions.create({ ...hi, stream: true });
    await stream.text();
    // The end of the answer is a message of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(connections).toBeLessThan(5);
});

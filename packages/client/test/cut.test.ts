import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { failureOf, hi, makeClient } from "./support/client.ts";
import { startServer } from "./support/raw-server.ts";
import { DONE, delta, finish, frame, HEAD, HELLO, SSE, START, say } from "./support/wire.ts";

/** Sends it, and when it is on its way ends the answer well or destroys its connection. */
const send = (text: string, how: "end" | "destroy") => (response: ServerResponse) => {
  response.writeHead(200, SSE);
  response.flushHeaders();
  if (how === "end") response.end(text);
  else response.write(text, () => setImmediate(() => response.destroy()));
};

async function read(text: string, how: "end" | "destroy") {
  const { client } = await startServer(send(text, how));
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  return failureOf(stream.final());
}

test("a connection that dies before the headers is a ConnectionError", async () => {
  const { client } = await startServer((response) => response.destroy());
  for (const stream of [true, false]) {
    const failure = await failureOf(client.chat.completions.create({ ...hi, stream }));
    expect(failure).toMatchObject({
      name: "ConnectionError",
      message: expect.stringContaining("/v1/chat/completions"),
    });
  }
});

test("a gateway that is not there is a ConnectionError", async () => {
  const { client, server } = await startServer(() => {});
  await new Promise((resolve) => server.close(resolve));
  const failure = await failureOf(client.models.list());
  expect(failure).toMatchObject({ name: "ConnectionError", message: expect.stringMatching(/ECONNREFUSED/) });
});

test("a connection that dies before the headers is tried again", async () => {
  let asked = 0;
  const { client } = await startServer(
    (response) => {
      asked += 1;
      if (asked === 1) response.destroy();
      else response.writeHead(200, SSE).end(HELLO);
    },
    { maxRetries: 1 },
  );
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await stream.text()).toBe("Hello");
});

test.each(["end", "destroy"] as const)("a stream that is cut is never taken for a whole one (%s)", async (how) => {
  const cuts: [string, string, unknown][] = [
    ["after the headers", ": keep-alive\n\n", undefined],
    ["after the role", START, ""],
    ["in the midst", START + say("Hel"), "Hel"],
    ["in the midst of a frame", START + say("Hel") + say("lo").slice(0, 30), "Hel"],
    ["before the frame's last line break", START + say("Hel") + say("lo").slice(0, -1), "Hel"],
    ["in the midst of a character", START + say("Hel") + say("lo"), "Hello"],
    ["after the finish", START + say("Hello") + finish(), "Hello"],
    ["in the midst of [DONE]", START + say("Hello") + finish() + DONE.slice(0, -2), "Hello"],
  ];
  for (const [where, text, content] of cuts) {
    const failure = await read(text, how);
    expect(failure.name, where).toBe("StreamTruncatedError");
    expect((failure as { partial?: { choices: unknown[] } }).partial?.choices[0], where).toEqual(
      content === undefined ? undefined : expect.objectContaining({ message: expect.objectContaining({ content }) }),
    );
  }
});

test("a finish without [DONE] is known as such", async () => {
  const failure = await read(START + say("Hello") + finish(), "end");
  expect(failure).toMatchObject({
    message: "The stream ended before [DONE].",
    partial: { choices: [{ finish_reason: "stop" }] },
  });
});

test("[DONE] without a finish is no end either", async () => {
  for (const text of [DONE, START + DONE, START + say("Hello") + DONE]) {
    expect(await read(text, "end")).toMatchObject({
      name: "StreamTruncatedError",
      message: "The stream ended without a finish_reason.",
    });
  }
});

test("a frame that is not JSON ends the stream", async () => {
  expect(await read(`${START}data: {"choices"\n\n${DONE}`, "end")).toMatchObject({
    name: "StreamTruncatedError",
    message: "An event of the stream cannot be read.",
    cause: expect.any(SyntaxError),
  });
});

test("a connection that dies after [DONE] does no harm", async () => {
  const { client } = await startServer(send(START + say("Hello") + delta({}, "stop") + DONE, "destroy"));
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await stream.text()).toBe("Hello");
});

test("a stream that began, of a server that numbers no events, is not sent again", async () => {
  let asked = 0;
  const { client } = await startServer(
    (response) => {
      asked += 1;
      send(START, "destroy")(response);
    },
    { maxRetries: 5 },
  );
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect((await failureOf(stream.final())).name).toBe("StreamTruncatedError");
  expect(asked).toBe(1);
});

test.each<[string, object]>([
  ["no choice", [null]],
  ["no list of choices", {}],
  ["no list of calls", [{ index: 0, delta: { tool_calls: {} }, finish_reason: null }]],
  ["no call", [{ index: 0, delta: { tool_calls: [null] }, finish_reason: null }]],
  ["a number for calls", [{ index: 0, delta: { tool_calls: 5 }, finish_reason: null }]],
])("a chunk with %s ends the stream", async (_, choices) => {
  const stream = await makeClient({
    fetch: async () => new Response(START + frame({ ...HEAD, choices }) + DONE, { headers: SSE }),
  }).chat.completions.create({ ...hi, stream: true });
  stream.on("tool-call", () => {}).on("content", () => {});
  expect(await failureOf(stream.text())).toMatchObject({
    name: "StreamTruncatedError",
    message: "An event of the stream cannot be read.",
  });
});

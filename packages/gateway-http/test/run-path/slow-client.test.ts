import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as nextLoop, setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { agentOf } from "../support/agents.ts";
import { hi, openRaw, readAnswer } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { openSocket } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const stream = hi({ stream: true });
const KIB = "x".repeat(1024);
const NEW_CONNECTION = "net.server.socket";
const impatient = { gateway: { http: { slowClientMs: 300 } } };
/** What the system itself may keep for a connection on this machine, both ends. KiB. */
const SYSTEM_BUFFERS = 32 * 1024;

/** An agent that has a gigabyte to say, and what became of it. */
function talker({ waits }: { waits: boolean }) {
  const state = { pulls: 0, aborted: Promise.withResolvers<unknown>() };
  const agent = agentOf(async function* (_, signal) {
    signal.addEventListener("abort", () => state.aborted.resolve(signal.reason));
    for (; state.pulls < 1024 * 1024; state.pulls++) {
      if (waits) await nextLoop();
      yield KIB;
    }
  });
  return { agent, state };
}

for (const waits of [true, false]) {
  test(`a client that does not read stops its agent, then is cut, the agent ${waits ? "waiting" : "never waiting"}`, async () => {
    const { agent, state } = talker({ waits });
    const { gateway, ...door } = await startGateway({ agents: [agent], config: impatient });
    const before = process.memoryUsage().rss;
    const client = openRaw(door, stream);
    await client.response;
    expect(await state.aborted.promise).toMatchObject({ code: "run_aborted" });
    expect(state.pulls).toBeLessThan(SYSTEM_BUFFERS);
    expect((process.memoryUsage().rss - before) / 1024).toBeLessThan(4 * SYSTEM_BUFFERS);
    await expect.poll(() => gateway.runs.active).toBe(0);
  });
}

test("a client that is cut sees a broken connection, not an end", async () => {
  const { agent, state } = talker({ waits: false });
  const door = await startGateway({ agents: [agent], config: impatient });
  const client = openRaw(door, stream);
  const response = await client.response;
  await state.aborted.promise;
  let raw = "";
  const read = (async () => {
    for await (const piece of response) raw += piece;
  })();
  await expect(read).rejects.toThrow();
  expect(raw).not.toContain("[DONE]");
});

test("a client that reads in fits and starts gets everything", async () => {
  let pulls = 0;
  const agent = agentOf(async function* () {
    for (; pulls < 20_000; pulls++) yield KIB;
  });
  const door = await startGateway({ agents: [agent], config: { gateway: { http: { slowClientMs: 5000 } } } });
  const response = await openRaw(door, stream).response;
  // It begins to read only once the agent was stopped for it.
  let before = 0;
  while (pulls === 0 || pulls > before) {
    before = pulls;
    await sleep(100);
  }
  expect(pulls).toBeLessThan(20_000);
  let raw = "";
  for await (const piece of response) raw += piece;
  expect(readAnswer(raw).text).toHaveLength(20_000 * 1024);
});

test("a client that does not read holds its provider back, and is cut from it in the end", async () => {
  const { provider, ...door } = await startWithProvider({ config: { gateway: { http: { slowClientMs: 500 } } } });
  const client = openRaw(door, stream);
  const exchange = (await provider.next()).open();
  let written = 0;
  const event = `data: {"choices":[{"delta":{"content":"${KIB}"}}]}\n\n`.repeat(16);
  while (await exchange.write(event)) written += 16;
  expect(await exchange.closed).toEqual({ early: true });
  expect(written).toBeLessThan(2 * SYSTEM_BUFFERS);
  client.kill();
});

test("a client that does not read the end of its stream is cut, too", async () => {
  const { gateway, connection } = await endUnread(stream, impatient);
  const closed = once(connection, "close");
  await expect.poll(() => gateway.runs.active).toBe(0);
  await closed;
});

test("a client that does not read an answer that is not streamed is cut, too", async () => {
  const { connection } = await endUnread(hi(), impatient);
  await once(connection, "close");
});

for (const [what, body] of Object.entries({ "a stream": stream, "an answer": hi() })) {
  test(`a gateway that closes sends ${what} to its end, when all is said, and whoever reads is late`, async () => {
    const { gateway, response, said } = await endUnread(body, {});
    await expect.poll(() => gateway.runs.active).toBe(0);
    // However long it is given.
    const closed = gateway.close({ drainTimeoutMs: Number.POSITIVE_INFINITY });
    let raw = "";
    for await (const piece of response) raw += piece;
    const text = body === stream ? readAnswer(raw).text : JSON.parse(raw).choices[0].message.content;
    expect(text).toHaveLength(said());
    await closed;
  });
}

test("so does it with the one behind it in its connection", async () => {
  let ended = 0;
  const agent = agentOf(async function* () {
    yield KIB.repeat(SYSTEM_BUFFERS / 2);
    ended++;
  });
  const { gateway, port } = await startGateway({ agents: [agent] });
  const { socket, closed } = openSocket(port);
  socket.pause();
  const body = JSON.stringify(hi());
  const head = `host: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  const asking = `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n${body}`;
  socket.write(asking + asking);
  await expect.poll(() => [ended, gateway.runs.active]).toEqual([2, 0]);
  const done = gateway.close();
  socket.resume();
  const said = await closed;
  expect([said.split(" 200 OK").length - 1, said.length > KIB.length * SYSTEM_BUFFERS]).toEqual([2, true]);
  await done;
});

test("whoever does not read holds up a gateway that closes for no longer than runs may", async () => {
  const { gateway, connection } = await endUnread(hi(), {});
  const closed = once(connection, "close");
  await expect.poll(() => gateway.runs.active).toBe(0);
  await gateway.close({ drainTimeoutMs: 50 });
  await closed;
});

/** An answer whose head is there, and whose end the system does not take as long as nobody reads. */
async function endUnread(body: typeof stream, config: ConfigInput) {
  const accepted = nextConnection();
  let said = 0;
  const agent = agentOf(async function* () {
    const socket = await accepted;
    // Stops when the system takes no more, long before the gateway would tell it to wait.
    while (body === stream ? socket.writableLength === 0 : said < KIB.length * SYSTEM_BUFFERS) {
      yield KIB;
      said += KIB.length;
      if (body === stream) await nextLoop();
    }
  });
  const { gateway, ...door } = await startGateway({ agents: [agent], config });
  const response = await openRaw(door, body).response;
  return { gateway, response, connection: await accepted, said: () => said };
}

/** The next connection that a server of this process takes. */
function nextConnection(): Promise<Socket> {
  return new Promise((resolve) => {
    subscribe(NEW_CONNECTION, function accept(message) {
      unsubscribe(NEW_CONNECTION, accept);
      resolve((message as { socket: Socket }).socket);
    });
  });
}

import OpenAI from "openai";
import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { ask, hi, openRaw, readStream } from "../support/chat.ts";
import { failure, say, startLimited, toConfig, toSdk } from "../support/limited.ts";
import { HEAD, openSocket } from "../support/raw-http.ts";

const KEY = "x-openclaw-session-key";

test("beyond concurrentRuns they wait, first come first served, and beyond queuedRuns are refused", async () => {
  const { client, door, reach } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 3 }));
  const answers = [];
  for (const [index, name] of ["a", "b", "c", "d"].entries()) {
    answers.push(client().chat.completions.create(toSdk(name)));
    await reach(index + 1);
  }
  for (const stream of [false, true]) {
    const error = await failure(client().chat.completions.create({ ...toSdk("e"), stream }));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ status: 503, code: "gateway_overloaded", type: "service_unavailable" });
    expect(error.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
    expect(error.headers.get("x-should-retry")).toBe("true");
  }
  for (const name of ["a", "b", "c", "d"]) {
    await door.beginning(name);
    door.release(name);
  }
  await Promise.all(answers);
  expect(door.begun).toEqual(["a", "b", "c", "d"]);
  expect(door.most()).toBe(1);
});

test("embedders are refused in the same way, and runs that wait for their session count", async () => {
  const { gateway, door } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 1 }));
  const begin = (content: string) =>
    gateway.runs.start({
      agent: gateway.defaultAgent,
      turn: { messages: [{ role: "user", content }], instructions: [], params: {}, stream: false },
      session: { owner: "ann", key: "agent:main:x", stateless: false },
    });
  const runs = [begin("one"), begin("two")];
  await door.beginning("one");
  expect(() => begin("three")).toThrow(expect.objectContaining({ code: "gateway_overloaded", status: 503 }));
  door.releaseAll();
  for (const run of runs) expect((await run.result).error).toBeUndefined();
  await begin("four").result;
  expect(door.begun).toEqual(["one", "two", "four"]);
});

test("a full gateway refuses before the body has come, and serves what starts no run", async () => {
  const { request, port, door, client } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 0 }));
  const held = client().chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const { socket, seen } = openSocket(port);
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${HEAD}content-length: 30000000\r\n\r\n{`);
  await seen(/^HTTP\/1\.1 503 [\s\S]*gateway_overloaded/);
  socket.destroy();
  expect((await request("/v1/models")).status).toBe(200);
  expect((await request("/v1/chat/completions")).status).toBe(200);
  door.releaseAll();
  await held;
});

test("a client that leaves while it waits makes room", async () => {
  const { client, port, door, reach } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 1 }));
  const one = client().chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const impatient = openRaw({ port }, say("impatient", { stream: true }));
  await reach(2);
  expect((await failure(client().chat.completions.create(toSdk("two")))).status).toBe(503);
  impatient.kill();
  await reach(1);
  const three = client().chat.completions.create(toSdk("three"));
  await reach(2);
  door.releaseAll();
  await Promise.all([one, three]);
  expect(door.begun).toEqual(["one", "three"]);
});

test("who waited too long gets a plain 503, streamed or under a key too, and nothing is kept", async () => {
  const config = toConfig({ concurrentRuns: 1, queuedRuns: 8, queueTimeoutMs: 20 });
  const { client, request, door } = await startLimited(config);
  const one = client().chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const refused = await Promise.all([
    request("/v1/chat/completions", { body: say("two"), headers: { [KEY]: "two" } }),
    request("/v1/chat/completions", { body: say("two", { stream: true }), headers: { [KEY]: "two-streamed" } }),
    request("/v1/chat/completions", { body: say("two", { stream: true }), headers: { "idempotency-key": "k" } }),
  ]);
  for (const response of refused) {
    expect([response.status, response.headers.get("content-type")]).toEqual([503, "application/json; charset=utf-8"]);
    expect(await response.json()).toMatchObject({ error: { code: "gateway_overloaded" } });
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  }
  expect(await (await request("/v1/sessions")).json()).toMatchObject({ data: [] });
  door.releaseAll();
  await one;
  const again = await request("/v1/chat/completions", {
    body: say("two", { stream: true }),
    headers: { "idempotency-key": "k" },
  });
  expect(again.headers.get("idempotency-replayed")).toBeNull();
  expect((await readStream(again)).text).toBe("two");
});

test("limits that a reload raises let in who waits", async () => {
  const { client, door, gateway, reach } = await startLimited(toConfig({ concurrentRuns: 1, queuedRuns: 2 }));
  const answers = [client().chat.completions.create(toSdk("one"))];
  await door.beginning("one");
  for (const [index, name] of ["two", "three"].entries()) {
    answers.push(client().chat.completions.create(toSdk(name)));
    await reach(index + 2);
  }
  await gateway.reload(toConfig({ concurrentRuns: 2, queuedRuns: 1 }));
  await door.beginning("two");
  expect(door.begun).toEqual(["one", "two"]);
  expect((await failure(client().chat.completions.create(toSdk("four")))).status).toBe(503);
  door.releaseAll();
  await Promise.all(answers);
});

test("a run that waits for its session takes no place from others; a side task takes one", async () => {
  const { request, door, reach } = await startLimited(toConfig({ concurrentRuns: 2, queuedRuns: 8 }));
  const chat = (content: string, headers = {}) =>
    request("/v1/chat/completions", { body: say(content), headers }).then((response) => response.status);
  const first = chat("first", { [KEY]: "s" });
  await door.beginning("first");
  const second = chat("second", { [KEY]: "s" });
  await reach(2);
  const aside = chat("of a chat", { "x-openwebui-chat-id": "c" });
  await door.beginning("of a chat");
  const task = chat("its title", { "x-openwebui-chat-id": "c" });
  await reach(4);
  expect(door.begun).toEqual(["first", "of a chat"]);
  door.release("of a chat");
  await door.beginning("its title");
  expect(door.begun).toEqual(["first", "of a chat", "its title"]);
  door.releaseAll();
  expect(await Promise.all([first, second, aside, task])).toEqual([200, 200, 200, 200]);
  expect(door.most()).toBe(2);
});

test("waiting is not the agent's time", async () => {
  const quick = agentOf(
    async function* () {
      yield "quick";
    },
    { id: "quick", timeoutSeconds: 0.5 },
  );
  const { request, port, door, client, reach } = await startLimited(toConfig({ concurrentRuns: 1 }), [quick]);
  const one = client().chat.completions.create(toSdk("one"));
  await door.beginning("one");
  const waiting = ask({ request, port }, hi({ model: "openclaw:quick" }));
  await reach(2);
  await new Promise((resolve) => setTimeout(resolve, 600));
  door.releaseAll();
  expect((await waiting).text).toBe("quick");
  await one;
});

test("a gateway that closes ends those who wait, and says why", async () => {
  const { client, door, gateway, reach } = await startLimited(toConfig({ concurrentRuns: 1 }));
  const one = failure(client().chat.completions.create(toSdk("one")));
  await door.beginning("one");
  const two = failure(client().chat.completions.create(toSdk("two")));
  await reach(2);
  const closed = gateway.close({ drainTimeoutMs: 20 });
  for (const refused of [one, two]) expect(await refused).toMatchObject({ status: 503, code: "gateway_draining" });
  await closed;
  expect(door.begun).toEqual(["one"]);
});

import { expect, test, vi } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { captureLog } from "../support/capture-log.ts";
import { readExposition } from "../support/exposition.ts";
import { connectParams, connectSocket, countSockets, openSocket, refused } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

type Auth = NonNullable<ConfigInput["gateway"]>["auth"];

const start = (auth: Auth = { mode: "token", token: TOKEN }) => startGateway({ config: { gateway: { auth } } });

const tryIn = async (url: string, token: string) => refused(await openSocket(url), connectParams({ token }));

/** Waits without the help of timers: vitest's own would move the clock. */
async function turnUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

const LOCKED = {
  code: "INVALID_REQUEST",
  message: expect.stringMatching(/^unauthorized: Too many failed attempts\. Try again in \d+ s\.$/),
  retryable: true,
  retryAfterMs: expect.any(Number),
  details: {
    code: "AUTH_RATE_LIMITED",
    authReason: "rate_limited",
    canRetryWithDeviceToken: false,
    recommendedNextStep: "wait_then_retry",
  },
};

test("whoever fails too often is locked out, through both doors; the right token is not", async () => {
  const auth: Auth = { mode: "token", token: TOKEN, rateLimit: { maxAttempts: 3, exemptLoopback: false } };
  const { url } = await start(auth);
  const overHttp = await fetch(`${url}/v1/models`, { headers: { authorization: "Bearer wrong" } });
  expect(overHttp.status).toBe(401);
  for (let i = 0; i < 2; i++) expect((await tryIn(url, "wrong")).error?.retryable).toBeUndefined();
  const { error, code } = await tryIn(url, "wrong");
  expect(error).toEqual(LOCKED);
  expect((error?.retryAfterMs ?? 0) % 1000).toBe(0);
  expect(error?.retryAfterMs).toBeGreaterThan(0);
  expect(code).toBe(1008);
  expect((await fetch(`${url}/v1/models`, { headers: { authorization: "Bearer wrong" } })).status).toBe(429);
  await connectSocket(url, { token: TOKEN });
});

test("this machine is slowed instead: four wait, the fifth is told when to come again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { url, gateway } = await start({ mode: "token", token: TOKEN });
  const clients = await Promise.all(Array.from({ length: 4 }, () => openSocket(url)));
  const slowed = clients.map((client) => refused(client, connectParams({ token: "wrong" })));
  const fifth = await openSocket(url);
  // Each of the four has its timeout and, once it has been looked at, its penalty; the fifth has its timeout.
  await turnUntil(() => vi.getTimerCount() === 9);
  expect((await refused(fifth, connectParams({ token: "wrong" }))).error).toEqual(LOCKED);
  await connectSocket(url, { token: TOKEN });
  // What is right by now was wrong when it was sent.
  await gateway.reload({
    gateway: { auth: { mode: "token", token: "wrong-by-then-0123456789" } },
    logging: { level: "silent" },
  });
  await vi.advanceTimersByTimeAsync(5000);
  for (const { error } of await Promise.all(slowed))
    expect(error?.details).toMatchObject({ code: "AUTH_TOKEN_MISMATCH" });
  vi.useRealTimers();
});

test("what is sent behind connect is answered after it, in its order", async () => {
  const { url } = await start();
  const client = await openSocket(url);
  client.send({ type: "req", id: "c", method: "connect", params: connectParams({ token: TOKEN }) });
  client.send("no JSON");
  for (let i = 0; i < 14; i++) client.send({ type: "req", id: `q${i}`, method: "question.list" });
  await client.until((frame) => frame.id === "q13");
  const ids = client.frames.filter((frame) => frame.type === "res").map(({ id }) => id);
  expect(ids).toEqual(["c", ...Array.from({ length: 14 }, (_, i) => `q${i}`)]);
});

test("fifteen frames may wait for a connect that takes its time; the next ends it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { url } = await start({ mode: "token", token: TOKEN });
  const client = await openSocket(url);
  client.send({ type: "req", id: "c", method: "connect", params: connectParams({ token: "wrong" }) });
  for (let i = 0; i < 16; i++) client.send("{}");
  expect(await client.closed).toEqual({ code: 1008, reason: "too many frames before hello" });
  expect(client.frames).toHaveLength(1);
  vi.useRealTimers();
});

test("whoever says nothing for fifteen seconds is let go, and so is who talks in halves", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { url } = await start();
  const silent = await openSocket(url);
  const half = await openSocket(url);
  half.socket.send('{"type":"req",', { fin: false });
  const { closed: _, ...guest } = await connectSocket(url, { token: TOKEN });
  await vi.advanceTimersByTimeAsync(14_999);
  expect([silent, half].map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(1);
  for (const { closed } of [silent, half]) expect(await closed).toEqual({ code: 1000, reason: "" });
  expect(guest.socket.readyState).toBe(1);
  vi.useRealTimers();
});

test("of a client that has left while it was slowed nothing stays", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const log = captureLog();
  const door = await startGateway({ config: { logging: { level: "warn" } } });
  const { url } = door;
  const client = await openSocket(url);
  client.send({ type: "req", id: "c", method: "connect", params: connectParams({ token: "wrong" }) });
  await turnUntil(() => vi.getTimerCount() === 2);
  client.socket.terminate();
  await client.closed;
  await turnUntil(async () => (await countSockets(door)) === 0);
  await vi.advanceTimersByTimeAsync(250);
  vi.useRealTimers();
  await connectSocket(url, { token: TOKEN });
  expect(log.lines().filter(({ msg }) => msg !== "login failed")).toEqual([]);
});

test("a gateway that closes does not wait for those who are slowed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const log = captureLog();
  const { url, gateway } = await startGateway({ config: { logging: { level: "warn" } } });
  const client = await openSocket(url);
  client.send({ type: "req", id: "c", method: "connect", params: connectParams({ token: "wrong" }) });
  await turnUntil(() => vi.getTimerCount() === 2);
  const closed = gateway.close();
  expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
  await closed;
  await vi.advanceTimersByTimeAsync(250);
  vi.useRealTimers();
  expect(client.frames).toHaveLength(1);
  expect(log.lines().filter(({ msg }) => msg !== "login failed")).toEqual([]);
});

test("who fails is told of in the log, and counted, without what it sent", async () => {
  const log = captureLog();
  const auth: Auth = { mode: "token", token: TOKEN, rateLimit: { maxAttempts: 9, exemptLoopback: false } };
  const { url, request } = await startGateway({ config: { logging: { level: "warn" }, gateway: { auth } } });
  const ws = { headers: { "x-request-id": "mine-1" } };
  await refused(await openSocket(url, { ws }), connectParams({ token: "a-wrong-secret" }));
  await refused(await openSocket(url), connectParams());
  await connectSocket(url, { token: TOKEN });
  const line = await log.line("login failed");
  expect(line).toMatchObject({ reason: "wrong", address: "127.0.0.1", requestId: "mine-1" });
  expect(log.lines()).toHaveLength(1);
  expect(log.text()).not.toContain("a-wrong-secret");
  const figures = readExposition(await (await request("/metrics")).text());
  expect(figures.value("openclaw_auth_failures_total", { reason: "wrong" })).toBe(1);
  expect(figures.value("openclaw_auth_failures_total", { reason: "missing" })).toBe(1);
  expect(figures.value("openclaw_sockets_open")).toBe(1);
});

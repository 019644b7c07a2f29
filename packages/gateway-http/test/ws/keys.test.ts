import { expect, onTestFinished, test, vi } from "vitest";
import { sayer, stepper } from "../support/agents.ts";
import { ask } from "../support/chat.ts";
import { authWith, bearer, tokenOf } from "../support/keys.ts";
import { clientFrame, closeCodeOf, openRawSocket } from "../support/raw-frames.ts";
import { ALL_SCOPES, connectParams, connectSocket } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

test("requests count together with those over HTTP, and connecting does not", async () => {
  const auth = authWith({ ann: { limits: { requestsPerMinute: 3 } }, bob: { limits: { requestsPerMinute: 3 } } });
  const { url } = await startGateway({ agents: [sayer("Hello")], config: { gateway: { auth } } });
  const overHttp = async () => (await fetch(`${url}/v1/models`, { headers: bearer("ann") })).status;
  const ann = await connectSocket(url, { token: tokenOf("ann") });
  for (let i = 0; i < 5; i++) await connectSocket(url, { token: tokenOf("ann") });
  await ann.request("health");
  expect(await overHttp()).toBe(200);
  ann.send("{}");
  await ann.until((frame) => frame.id === "invalid");
  expect((await ann.ask("health")).error).toEqual({
    code: "UNAVAILABLE",
    message: expect.stringMatching(/^This key may send 3 requests per minute\. Try again in \d+ s\.$/),
    retryable: true,
    retryAfterMs: expect.any(Number),
    details: { code: "rate_limit_exceeded" },
  });
  expect(await overHttp()).toBe(429);
  const bob = await connectSocket(url, { token: tokenOf("bob") });
  expect((await bob.request("health")).ok).toBe(true);
});

test("the runs of a key at a time are counted over both doors", async () => {
  const { agent, started, end } = stepper();
  const auth = authWith({ ann: { limits: { concurrentRuns: 1 } } });
  const door = await startGateway({ agents: [agent], config: { gateway: { auth } } });
  const ann = await connectSocket(door.url, { token: tokenOf("ann") });
  await ann.request("chat.send", { sessionKey: "one", message: "hi", idempotencyKey: "first" });
  await started;
  const over = await ann.ask("chat.send", { sessionKey: "two", message: "hi", idempotencyKey: "second" });
  expect(over.error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
  const response = await ask(door, undefined, bearer("ann"));
  expect(response.status).toBe(429);
  end();
  await ann.untilEvent("chat", ({ state }) => state === "final");
});

test("a key that expires may ask nothing from then on, and is let go", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const { url } = await startGateway({
    agents: [sayer("Hello")],
    config: { gateway: { auth: authWith({ ann: { expiresAt }, bob: {} }) } },
  });
  const ann = await connectSocket(url, { token: tokenOf("ann") });
  const bob = await connectSocket(url, { token: tokenOf("bob") });
  await ann.request("health");
  vi.setSystemTime(Date.now() + 3_600_001);
  ann.send({
    type: "req",
    id: "late",
    method: "chat.send",
    params: { sessionKey: "s", message: "x", idempotencyKey: "k" },
  });
  expect(await ann.closed).toEqual({ code: 4001, reason: "credentials invalidated" });
  expect(ann.frames.some((frame) => "id" in frame && frame.id === "late")).toBe(false);
  expect((await bob.request("sessions.list")).sessions).toEqual([]);
  vi.useRealTimers();
});

test("one that asks nothing is let go with the next tick", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
  const expiresAt = new Date(Date.now() + 45_000).toISOString();
  const { url } = await startGateway({
    agents: [sayer("Hello")],
    config: { gateway: { auth: authWith({ ann: { expiresAt }, bob: {} }) } },
  });
  const ann = await connectSocket(url, { token: tokenOf("ann"), scopes: [] });
  const bob = await connectSocket(url, { token: tokenOf("bob"), scopes: [] });
  for (let i = 0; i < 3; i++) {
    vi.advanceTimersByTime(20_000);
    // The second one comes behind the pong, which the first one may not.
    for (const client of i < 2 ? [ann, bob, ann, bob] : [bob]) await client.request("health");
  }
  expect(await ann.closed).toEqual({ code: 4001, reason: "credentials invalidated" });
  expect(ann.payloads("tick")).toHaveLength(1);
  expect(bob.payloads("tick")).toEqual([{ ts: expect.any(Number) }, { ts: expect.any(Number) }]);
  vi.useRealTimers();
});

test("after a reload a client has the scopes of its key as it is now, and hears no more than they allow", async () => {
  const { agent, started, say, end } = stepper();
  const configOf = (scopes: ("admin" | "chat" | "sessions")[]) => ({
    logging: { level: "silent" as const },
    gateway: { auth: authWith({ boss: { scopes }, ann: {} }) },
  });
  const { url, gateway } = await startGateway({ agents: [agent], config: configOf(["admin", "chat", "sessions"]) });
  const boss = await connectSocket(url, { token: tokenOf("boss"), scopes: ALL_SCOPES });
  const ann = await connectSocket(url, { token: tokenOf("ann") });
  await ann.request("chat.send", { sessionKey: "hers", message: "hi", idempotencyKey: "run-1" });
  await started;
  say("one");
  await boss.untilEvent("chat", ({ deltaText }) => deltaText === "one");
  await gateway.reload(configOf(["chat", "sessions"]));
  say(" two");
  await ann.untilEvent("chat", ({ deltaText }) => deltaText === " two");
  expect((await boss.ask("sessions.reset", { key: "x" })).error).toMatchObject({ code: "FORBIDDEN" });
  expect(boss.payloads("chat")).toHaveLength(1);
  await gateway.reload(configOf(["admin", "chat", "sessions"]));
  expect((await boss.ask("sessions.reset", { key: "x" })).error?.code).not.toBe("FORBIDDEN");
  end();
  await boss.untilEvent("chat", ({ state }) => state === "final");
});

test("what comes behind our goodbye is not done", async () => {
  const auth = authWith({ ann: {} });
  const { url, port, gateway } = await startGateway({ agents: [sayer("Hello")], config: { gateway: { auth } } });
  const raw = await openRawSocket(port);
  const send = (id: string, method: string, params: object) =>
    raw.socket.write(clientFrame(JSON.stringify({ type: "req", id, method, params })));
  send("c", "connect", connectParams({ token: tokenOf("ann") }));
  await raw.seen(/"id":"c","ok":true/);
  await gateway.reload({ logging: { level: "silent" }, gateway: { auth: authWith({}) } });
  await raw.seen(/credentials invalidated/);
  send("late", "sessions.create", { key: "late" });
  expect(closeCodeOf(await raw.closed)).toBe(4001);
  expect(raw.text()).not.toContain('"id":"late"');
  const operator = await connectSocket(url, { token: TOKEN });
  expect((await operator.request("sessions.list")).sessions).toEqual([]);
  await gateway.reload({ logging: { level: "silent" }, gateway: { auth } });
  const ann = await connectSocket(url, { token: tokenOf("ann") });
  expect((await ann.request("sessions.list")).sessions).toEqual([]);
});

test("after a reload with another token nobody stays who knew the old one", async () => {
  const { url, gateway } = await startGateway({
    agents: [sayer("Hello")],
    config: { gateway: { auth: authWith({ ann: {} }) } },
  });
  const operator = await connectSocket(url, { token: TOKEN });
  const ann = await connectSocket(url, { token: tokenOf("ann") });
  const auth = { ...authWith({ ann: {} }), token: "another-token-0123456789" };
  await gateway.reload({ logging: { level: "silent" }, gateway: { auth } });
  expect(await operator.closed).toEqual({ code: 4001, reason: "credentials invalidated" });
  expect((await ann.request("sessions.list")).sessions).toEqual([]);
});

test("a user of a proxy who is not let in any more is let go", async () => {
  const configOf = (allowUsers: string[]) => ({
    logging: { level: "silent" as const },
    gateway: {
      auth: { mode: "trusted-proxy" as const, trustedProxy: { userHeader: "x-user", allowUsers } },
      trustedProxies: ["127.0.0.1"],
    },
  });
  const { url, gateway } = await startGateway({ agents: [sayer("Hello")], config: configOf(["ann", "bob"]) });
  const as = (user: string) => connectSocket(url, { ws: { headers: { "x-user": user } } });
  const [ann, bob] = await Promise.all([as("ann"), as("bob")]);
  await gateway.reload(configOf(["bob"]));
  expect(await ann.closed).toEqual({ code: 4001, reason: "credentials invalidated" });
  expect((await bob.request("sessions.list")).sessions).toEqual([]);
});

test("one that only listens hears nothing from the moment on in which its key expires, which a reload may change", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const DAY = 86_400_000;
  const begin = Date.now();
  const configOf = (days: number) => ({
    logging: { level: "silent" as const },
    gateway: { auth: authWith({ ann: { expiresAt: new Date(begin + days * DAY).toISOString() }, bob: {} }) },
  });
  const { url, gateway } = await startGateway({ agents: [sayer("Hello")], config: configOf(60) });
  const ann = await connectSocket(url, { token: tokenOf("ann") });
  const late = await connectSocket(url, { token: tokenOf("ann") });
  // Longer than one timer of Node's can wait.
  vi.advanceTimersByTime(59 * DAY);
  for (const client of [ann, late]) expect((await client.request("health")).ok).toBe(true);
  vi.advanceTimersByTime(DAY);
  for (const client of [ann, late]) {
    expect(await client.closed).toEqual({ code: 4001, reason: "credentials invalidated" });
  }
  await gateway.reload(configOf(70));
  const again = await connectSocket(url, { token: tokenOf("ann") });
  await gateway.reload(configOf(65));
  vi.advanceTimersByTime(5 * DAY);
  expect(await again.closed).toEqual({ code: 4001, reason: "credentials invalidated" });
});

test("after a reload no page stays whose origin is not listed any more, nor who came by a name that is gone", async () => {
  const configOf = (http: { hosts?: string[]; cors?: { origins: string[] } }) => ({
    logging: { level: "silent" as const },
    gateway: { auth: authWith({}), http },
  });
  const origin = "https://a.example";
  const host = "gate.example";
  const { url, gateway } = await startGateway({
    agents: [sayer("Hello")],
    config: configOf({ hosts: [host], cors: { origins: [origin] } }),
  });
  const from = (headers: Record<string, string>) => connectSocket(url, { token: TOKEN, ws: { headers } });
  const page = await from({ origin });
  const ofHost = await from({ origin: `https://${host}` });
  const named = await from({ host });
  const program = await from({});
  await gateway.reload(configOf({ hosts: [host] }));
  expect(await page.closed).toEqual({ code: 1008, reason: "origin not allowed" });
  for (const client of [ofHost, named]) expect((await client.request("health")).ok).toBe(true);
  await gateway.reload(configOf({}));
  for (const client of [ofHost, named]) expect((await client.closed).code).toBe(1008);
  expect((await program.request("health")).ok).toBe(true);
});

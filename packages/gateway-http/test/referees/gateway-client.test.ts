import { classifyGatewayConnectFailure } from "@openclaw/gateway-protocol/connect-error-details";
import { expect, onTestFinished, test, vi } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { agentOf, sayer } from "../support/agents.ts";
import { authWith, tokenOf } from "../support/keys.ts";
import { obedient } from "../support/obedient.ts";
import { startProxy } from "../support/proxy.ts";
import { tapSocket } from "../support/socket-tap.ts";
import { type StartOptions, startGateway } from "../support/start-gateway.ts";
import { createDevice, dial } from "./gateway-clients.ts";

const toSocketUrl = (url: string) => url.replace("http", "ws");
const READ_WRITE = ["operator.read", "operator.write"];
const say = (message: string, idempotencyKey: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey, ...more },
});

/** The published client, let in, and the agent that it talks to. Every frame is looked at. */
async function start(options: StartOptions = {}, client: Parameters<typeof dial>[1] = {}) {
  const told = obedient();
  const { url, gateway } = await startGateway({ agents: [told.agent], ...options });
  const tap = await tapSocket(url);
  const dialed = dial(tap.url, client);
  await dialed.hello;
  return { ...told, ...dialed, tap, gateway };
}

test("it is let in, and asks for all there is", async () => {
  const models = {
    providers: { box: { baseUrl: "http://127.0.0.1:1/v1", models: [{ id: "m1", contextWindow: 8192 }] } },
  };
  const agents = { defaults: { model: "box/m1" }, list: [{ id: "main", name: "Mia" }] };
  const { client, hello, heard, tap } = await start({ config: { models, agents }, agents: [] });
  expect(await hello).toMatchObject({ protocol: 4, auth: { scopes: ["operator.admin"] } });
  const ask = (method: string, params: object = {}) => client.request(method, params);
  expect(await ask("health")).toMatchObject({ ok: true, defaultAgentId: "main" });
  expect(await ask("status")).toMatchObject({ sessions: { count: 0, defaults: { model: "box/m1" } } });
  expect(await ask("system-presence")).toEqual([]);
  expect(await ask("config.get")).toMatchObject({ valid: true, config: {} });
  expect(await ask("agents.list")).toMatchObject({
    agents: [{ id: "main", name: "Mia", model: { primary: "box/m1" } }],
  });
  expect(await ask("agent.identity.get")).toEqual({ agentId: "main", name: "Mia" });
  expect(await ask("models.list")).toMatchObject({
    models: [{ id: "m1", provider: "box", contextWindow: 8192, input: ["text", "image", "audio", "document"] }],
  });
  expect(await ask("commands.list")).toEqual({ commands: [] });
  expect(await ask("question.list")).toEqual({ questions: [] });
  expect(await ask("plugin.approval.list")).toEqual([]);
  const { key, sessionId } = await client.request<Record<string, string>>("sessions.create", { label: "Trip" });
  expect(await ask("sessions.resolve", { sessionId })).toEqual({ ok: true, key, agentId: "main" });
  expect(await ask("sessions.patch", { key, model: "box/m1" })).toMatchObject({ resolved: { model: "m1" } });
  expect(await ask("sessions.describe", { key })).toMatchObject({
    session: { key, label: "Trip", updatedAt: expect.any(Number) },
  });
  expect(await ask("sessions.list")).toMatchObject({ totalCount: 1, sessions: [{ key, contextTokens: 8192 }] });
  expect(await ask("sessions.reset", { key })).toMatchObject({ ok: true, key });
  expect(await ask("sessions.delete", { key })).toMatchObject({ deleted: true });
  expect(await ask("chat.history", { sessionKey: key })).toMatchObject({ messages: [], hasMore: false });
  const error = await ask("no.such.method").catch((refused) => refused);
  expect(error).toMatchObject({ gatewayCode: "INVALID_REQUEST", message: expect.stringContaining("no.such.method") });
  expect(heard.gaps).toEqual([]);
  expect(tap.seen.size).toBeGreaterThan(17);
});

test("chat.send, with deltas and an end; aborted; failed; too late; asked again", async () => {
  const { client, heard, begun, tap } = await start();
  await client.request("sessions.subscribe", {});
  expect(await client.request("chat.send", say("hi", "r1"))).toEqual({ runId: "r1", status: "started" });
  const { end, text } = await heard.run("r1");
  expect([text, end.state, end.message.content[0].text]).toEqual(["re: hi", "final", "re: hi"]);
  expect(await client.request("chat.send", say("hi", "r1"))).toEqual({ runId: "r1", status: "ok" });

  await client.request("chat.send", say("wait", "r2"));
  await begun("r2");
  await heard.until("chat", ({ runId }) => runId === "r2");
  expect(await client.request("chat.abort", { sessionKey: "s", runId: "r2" })).toMatchObject({ runIds: ["r2"] });
  expect((await heard.run("r2")).end).toMatchObject({ state: "aborted", message: { content: [{ text: "so far" }] } });

  await client.request("chat.send", say("fail", "r3"));
  expect((await heard.run("r3")).end).toMatchObject({ state: "error", errorMessage: "the model is broken" });
  const again = await client.request("chat.send", say("fail", "r3")).catch((error) => error);
  expect(again).toMatchObject({ gatewayCode: "UNAVAILABLE", responsePayload: { status: "error" } });

  await client.request("chat.send", say("wait", "r4", { timeoutMs: 10 }));
  expect((await heard.run("r4")).end).toMatchObject({ state: "error", errorKind: "timeout" });

  const { messages } = await client.request<{ messages: { role: string }[] }>("chat.history", { sessionKey: "s" });
  expect(messages.map(({ role }) => role)).toEqual(
    Array.from({ length: 8 }, (_, at) => (at % 2 ? "assistant" : "user")),
  );
  expect(heard.gaps).toEqual([]);
  expect([...tap.seen]).toEqual(expect.arrayContaining(["agent", "chat", "session.message", "sessions.changed"]));
});

test("agent answers twice: taken, and done", async () => {
  const { client, heard, begun, go } = await start();
  const accepted: unknown[] = [];
  const taken = Promise.withResolvers<void>();
  const onAccepted = (payload: unknown) => {
    accepted.push(payload);
    taken.resolve();
  };
  const options = { expectFinal: true, onAccepted };
  const done = client.request("agent", say("wait", "r1"), options);
  await taken.promise;
  expect(accepted).toMatchObject([{ runId: "r1", status: "accepted", sessionKey: "agent:main:s" }]);
  const waiting = client.request("agent.wait", { runId: "r1" }, { timeoutMs: null });
  go("r1");
  expect(await done).toMatchObject({ status: "ok", result: { payloads: [{ text: "so far and on" }] } });
  expect(await waiting).toMatchObject({ status: "ok", terminalReply: { text: "so far and on" } });
  expect(await client.request("agent", say("wait", "r1"), options)).toMatchObject({ status: "ok" });

  const stopped = client.request("agent", say("wait", "r2"), options);
  await begun("r2");
  await client.request("chat.abort", { sessionKey: "s" });
  expect(await stopped).toMatchObject({ status: "timeout", summary: "aborted" });
  const failed = await client.request("agent", say("fail", "r3"), options).catch((error) => error);
  expect(failed).toMatchObject({ gatewayCode: "UNAVAILABLE", message: "the model is broken" });
  expect(accepted).toHaveLength(3);
  expect(heard.gaps).toEqual([]);
});

test("tools are told of where they are asked for", async () => {
  const call = { id: "call_1", type: "function" as const, function: { name: "look", arguments: "{}" } };
  const agent = agentOf(async function* () {
    yield { type: "step", message: { role: "assistant", content: null, tool_calls: [call] } };
    yield { type: "tool-start", id: "call_1", name: "look" };
    yield { type: "tool-end", id: "call_1", name: "look", ok: true };
    yield { type: "step", message: { role: "tool", tool_call_id: "call_1", content: "blue" } };
    yield "Blue.";
  });
  const { client, heard } = await start({ agents: [agent] }, { caps: ["tool-events"] });
  await client.request("chat.send", say("hi", "r1"));
  await heard.run("r1");
  const tools = heard.events.map(({ payload }) => payload as { stream?: string; data: { phase: string } });
  expect(tools.filter(({ stream }) => stream === "tool").map(({ data }) => data.phase)).toEqual(["start", "result"]);
});

test("what its scopes do not allow is refused by name", async () => {
  const { client } = await start({}, { scopes: ["operator.read"] });
  const refused = await client.request("chat.send", say("hi", "r1")).catch((error) => error);
  expect(refused).toMatchObject({ details: { code: "MISSING_SCOPE", missingScope: "operator.write" } });
  expect(await client.request("sessions.list", {})).toMatchObject({ sessions: [] });
});

test.each([
  ["a wrong token", { token: "wrong" }, "AUTH_TOKEN_MISMATCH"],
  ["no token", { token: undefined }, "AUTH_TOKEN_MISSING"],
])("with %s it stops trying", async (_what, options, detailCode) => {
  const { url } = await startGateway({ agents: [sayer("yes")] });
  const tap = await tapSocket(url);
  const { paused, errors, hellos } = dial(tap.url, options);
  expect(await paused).toMatchObject({ code: 1008, detailCode });
  expect([errors.length, hellos.length, tap.referees.length]).toEqual([1, 0, 1]);
});

test.each<[string, NonNullable<ConfigInput["gateway"]>, string]>([
  [
    "the proxy did not name a user",
    { auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } }, trustedProxies: ["127.0.0.1"] },
    "AUTH_IDENTITY_HEADER_REQUIRED",
  ],
  [
    "a gateway without auth sees that it is not of this machine",
    { auth: { mode: "none" }, trustedProxies: ["127.0.0.1"] },
    "AUTH_VERIFIED_USER_REQUIRED",
  ],
])("where %s it stops trying", async (_what, gateway, detailCode) => {
  const { url } = await startGateway({ agents: [sayer("yes")], config: { gateway } });
  const proxy = await startProxy(url, { "x-forwarded-for": "203.0.113.1" });
  const { paused, errors } = dial(toSocketUrl(proxy), { token: undefined });
  expect(await paused).toMatchObject({ code: 1008, detailCode });
  expect(errors.length).toBe(1);
});

test("where its Host is not served it is told which setting lists those that are, and of no proxy", async () => {
  const { url } = await startGateway({ agents: [sayer("yes")] });
  const proxy = await startProxy(url, { host: "evil.example" });
  const failed = Promise.withResolvers<Error & { details?: unknown }>();
  dial(toSocketUrl(proxy), { onConnectError: (error) => failed.resolve(error) });
  const { message, details } = await failed.promise;
  expect(classifyGatewayConnectFailure({ message, details })).toEqual({
    kind: "unreachable",
    userMessage: expect.stringMatching(/HTTP 421.*gateway\.http\.hosts/),
  });
});

test("with a device of its own it proves its key, and is given no token for it", async () => {
  const stored: unknown[] = [];
  const device = createDevice();
  const hostDeps = { ...device.hostDeps, storeDeviceAuthToken: (record: unknown) => stored.push(record) };
  const ui = {
    mode: "ui",
    clientName: "openclaw-tui",
    platform: " Linux ",
    deviceFamily: "Desktop",
    scopes: READ_WRITE,
  };
  const { client, hello } = await start({}, { ...device, hostDeps, ...ui } as Parameters<typeof dial>[1]);
  expect(await hello).toMatchObject({ auth: { scopes: READ_WRITE } });
  expect(await client.request("health")).toMatchObject({ ok: true });
  expect(stored).toEqual([]);
});

test("with a key that is not the device's it is not let in", async () => {
  const { url } = await startGateway();
  const { hostDeps } = createDevice();
  const { deviceIdentity } = createDevice();
  const { privateKeyPem } = createDevice().deviceIdentity;
  const forged = { ...deviceIdentity, privateKeyPem };
  const { errors, heard } = dial(url, { deviceIdentity: forged, hostDeps });
  await expect.poll(() => errors.length).toBeGreaterThan(0);
  expect(errors[0]).toMatchObject({ details: { code: "DEVICE_AUTH_SIGNATURE_INVALID" } });
  expect(heard.events).toEqual([]);
});

test("when the gateway starts anew it comes back by itself, and finds its session", async () => {
  const { client, heard, tap, gateway, hellos } = await start({ store: "sqlite" });
  await client.request("chat.send", say("hi", "r1"));
  await heard.run("r1");
  await client.request("chat.send", say("wait", "r2"));
  await gateway.close({ drainTimeoutMs: 0 });
  expect((await heard.run("r2")).end).toMatchObject({ state: "error" });
  expect(await heard.until("shutdown")).toEqual({ reason: "gateway stopping" });
  const { url } = await startGateway({ agents: [sayer("again")] });
  tap.leadTo(url);
  await heard.until("test.hello", ({ bootId }) => bootId !== hellos[0]?.server.bootId);
  expect(heard.closes).toContain("1012 service restart");
  await client.request("chat.send", say("hi", "r3"));
  expect((await heard.run("r3")).end).toMatchObject({ state: "final" });
  expect(heard.gaps).toEqual([]);
});

test("it hears that the gateway is there, as often as it was told", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { client, hello, heard } = await start();
  const { tickIntervalMs } = (await hello).policy;
  for (let index = 1; index <= 3; index++) {
    vi.advanceTimersByTime(tickIntervalMs);
    const ticks = () => heard.events.filter(({ event }) => event === "tick").length;
    while (ticks() < index) await new Promise((resolve) => setImmediate(resolve));
    // Behind the pong to what the gateway asked meanwhile: without one it would cut the connection.
    await client.request("health");
  }
  expect([heard.gaps, heard.closes]).toEqual([[], []]);
});

test("it takes what it is told of other owners' runs, and whose they are", async () => {
  const { heard, tap } = await start({ config: { gateway: { auth: authWith({ ann: {} }) } } });
  const ann = dial(tap.url, { token: tokenOf("ann"), scopes: READ_WRITE });
  await ann.hello;
  await ann.client.request("chat.send", say("hi", "r1"));
  const { end, text } = await heard.run("r1");
  expect([text, end.state, end.owner]).toEqual(["re: hi", "final", "ann"]);
  expect((await ann.heard.run("r1")).end).not.toHaveProperty("owner");
  expect([heard.gaps, ann.heard.gaps]).toEqual([[], []]);
});

import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { bearer, authWith as keysWith, tokenOf } from "../support/keys.ts";
import { obedient } from "../support/obedient.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

type Auth = NonNullable<NonNullable<ConfigInput["gateway"]>["auth"]>;
const KEY = "agent:main:s";

async function start(auth: Auth = keysWith({ ann: {}, bob: {} })) {
  const main = obedient();
  const poet = obedient({ id: "poet" });
  const started = await startGateway({ agents: [main.agent, poet.agent], config: { gateway: { auth } } });
  const join = (who: string, more: object = {}) =>
    connectWatched(started.url, { token: who === "operator" ? TOKEN : tokenOf(who), ...more });
  return { ...main, poet, ...started, join };
}

const say = (message: string, idempotencyKey: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey, ...more },
});

test.each([
  ["ann", "bob"],
  ["operator", "ann"],
  ["ann", "operator"],
])("what is %s's does not exist for %s", async (one, other) => {
  const { join, begun, go } = await start();
  const scopes = ["operator.read", "operator.write"];
  const [mine, theirs] = [await join(one, { scopes }), await join(other, { scopes })];
  for (const client of [mine, theirs]) await client.request("sessions.subscribe");
  await mine.request("chat.send", say("wait", "r1"));
  await begun("r1");

  const ask = theirs.request.bind(theirs);
  expect(await ask("agent.wait", { runId: "r1", timeoutMs: 1 })).toEqual({ runId: "r1", status: "timeout" });
  expect(await ask("chat.abort", { sessionKey: "s" })).toMatchObject({ aborted: false });
  expect(await ask("chat.abort", { sessionKey: "s", runId: "r1" })).toMatchObject({ aborted: false });
  expect(await ask("sessions.abort", { runId: "r1" })).toMatchObject({ status: "no-active-run" });
  expect(await ask("chat.history", { sessionKey: "s" })).toMatchObject({ messages: [], totalMessages: 0 });
  expect(await ask("chat.history", { sessionKey: "s" })).not.toHaveProperty("inFlightRun");
  expect(await ask("sessions.list")).toMatchObject({ totalCount: 0, sessions: [] });
  expect(await ask("sessions.describe", { key: "s" })).toEqual({ session: null });
  const row = await mine.request("sessions.describe", { key: "s" });
  for (const named of [{ key: "s" }, { sessionId: row.session.sessionId }]) {
    expect(await theirs.ask("sessions.resolve", named)).toMatchObject({ error: { message: /^No session found/ } });
  }
  expect(await ask("sessions.delete", { key: "s" })).toMatchObject({ deleted: false });
  expect(await ask("health")).toMatchObject({ sessions: { count: 0, recent: [] } });
  expect(await ask("sessions.messages.subscribe", { key: "s" })).toMatchObject({ subscribed: true });

  // The same id in the same session is another run.
  expect(await ask("chat.send", say("hi", "r1"))).toEqual({ runId: "r1", status: "started" });
  await theirs.untilEvent("sessions.changed", ({ phase }) => phase === "end");
  go("r1");
  await mine.untilEvent("sessions.changed", ({ phase }) => phase === "end");
  const texts = (client: typeof mine) =>
    client.payloads("session.message").map(({ message }) => message.content[0].text ?? message.content);
  expect(texts(mine)).toEqual(["wait", "so far and on"]);
  expect(texts(theirs)).toEqual(["hi", "re: hi"]);
  const finals = theirs.payloads("chat").filter(({ state }) => state === "final");
  expect(finals).toMatchObject([{ message: { content: [{ text: "re: hi" }] } }]);
  expect(await ask("agent.wait", { runId: "r1" })).toMatchObject({ terminalReply: { text: "re: hi" } });
  expect(await mine.request("agent.wait", { runId: "r1" })).toMatchObject({ terminalReply: { text: "so far and on" } });
});

test("an owner's name and an id do not run into another owner's", async () => {
  const auth = { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } } as const;
  const { agent, begun } = obedient();
  const { url } = await startGateway({
    agents: [agent],
    config: { gateway: { auth, trustedProxies: ["127.0.0.1"] } },
  });
  const join = (name: string) => connectWatched(url, { ws: { headers: { "x-user": name } } });
  const [ann, annLee] = [await join("ann"), await join("ann lee")];
  await annLee.request("chat.send", say("wait", "r1"));
  await begun("r1");
  expect(await ann.request("agent.wait", { runId: "lee r1", timeoutMs: 1 })).toEqual({
    runId: "lee r1",
    status: "timeout",
  });
  await annLee.request("chat.abort", { sessionKey: "s" });
  expect(await ann.request("agent.wait", { runId: "lee r1", timeoutMs: 1 })).toEqual({
    runId: "lee r1",
    status: "timeout",
  });
  expect(await ann.request("chat.send", say("hi", "lee r1"))).toMatchObject({ status: "started" });
});

test("an operator with operator.admin hears of all, and whose it is, but for keys that it uses itself", async () => {
  const { join, begun, go } = await start();
  const ann = await join("ann");
  const admin = await join("operator");
  const reader = await join("operator", { scopes: ["operator.read", "operator.write"] });
  await admin.request("sessions.subscribe");
  await ann.request("chat.send", say("hi", "a1"));
  await admin.untilEvent("sessions.changed", ({ phase }) => phase === "end");
  const told = admin.events.filter(({ event }) => event !== "connect.challenge");
  expect(new Set(told.map(({ event }) => event))).toEqual(
    new Set(["agent", "chat", "session.message", "sessions.changed"]),
  );
  for (const { payload } of told) expect(payload).toMatchObject({ sessionKey: KEY, owner: "ann" });
  expect(await ann.untilEvent("chat")).not.toHaveProperty("owner");

  // In the midst of a run, too: what it hears under its own key is its own from then on.
  await ann.request("chat.send", say("wait", "a2"));
  await begun("a2");
  await admin.untilEvent("chat", ({ runId }) => runId === "a2");
  await admin.request("chat.history", { sessionKey: "s" });
  const before = admin.frames.length;
  go("a2");
  await ann.untilEvent("chat", ({ runId, state }) => runId === "a2" && state === "final");
  await admin.request("chat.send", say("hi", "o1"));
  await admin.untilEvent("chat", ({ runId, state }) => runId === "o1" && state === "final");
  const later = admin.frames.slice(before).filter(({ type }) => type === "event");
  expect(later.filter((frame) => JSON.stringify(frame).includes('"owner"'))).toEqual([]);
  // With quotes: the challenge's nonce may have these letters in it.
  expect(JSON.stringify(reader.events)).not.toContain('"a1"');
  expect(JSON.stringify(ann.events)).not.toContain('"o1"');
});

/** What a key of one scope may do, each with what else it needs; `missing` is what it is told. */
test.each([
  ["chat", ["chat.send", "agent.wait", "chat.abort"], ["sessions.list", "chat.history", "agents.list", "chat.inject"]],
  ["sessions", ["sessions.list", "chat.history", "sessions.describe"], ["chat.send", "agent", "models.list"]],
  [
    "models",
    ["agents.list", "models.list", "agent.identity.get"],
    ["chat.send", "sessions.list", "sessions.subscribe"],
  ],
  ["admin", ["health", "status", "config.get"], ["chat.send", "sessions.list", "models.list"]],
] as const)("a key of the scope %s alone", async (scope, may, mayNot) => {
  const { join } = await start(keysWith({ ann: { scopes: [scope] } }));
  const client = await join("ann");
  const params = { key: "s", ...say("hi", "r1"), runId: "r0", timeoutMs: 1 };
  for (const method of may) expect(await client.ask(method, params), method).toMatchObject({ ok: true });
  for (const method of mayNot) {
    expect(await client.ask(method, params), method).toMatchObject({
      ...{ ok: false, error: { code: "FORBIDDEN", details: { code: "MISSING_SCOPE" } } },
    });
  }
  expect(client.hello.auth.scopes.includes("operator.admin")).toBe(scope === "admin");
});

test("who hears of others hears no more of them than of the agents it may use, and nothing without chat or sessions", async () => {
  const { join } = await start(
    keysWith({ ann: { agents: ["poet"], scopes: ["admin", "chat", "sessions"] }, eve: { scopes: ["admin"] }, bob: {} }),
  );
  const [ann, eve, bob] = [await join("ann"), await join("eve"), await join("bob")];
  await ann.request("sessions.subscribe");
  for (const [id, sessionKey] of [
    ["b1", "s"],
    ["b2", "global"],
    ["b3", "agent:poet:s"],
  ] as const) {
    await bob.request("chat.send", say("hi", id, { sessionKey }));
    await bob.untilEvent("chat", ({ runId, state }) => runId === id && state === "final");
  }
  await ann.untilEvent("chat", ({ runId, state }) => runId === "b3" && state === "final");
  const told = ann.events.filter(({ event }) => event !== "connect.challenge");
  expect(new Set(told.map(({ payload }) => (payload as { sessionKey: string }).sessionKey))).toEqual(
    new Set(["agent:poet:s"]),
  );
  expect(eve.events.map(({ event }) => event)).toEqual(["connect.challenge"]);
});

test("a key that is bound to an agent knows no other", async () => {
  const { join, request } = await start(keysWith({ ann: { agents: ["poet"] } }));
  const client = await join("ann");
  expect(await client.request("agents.list")).toMatchObject({ agents: [{ id: "poet" }] });
  for (const [method, params] of [
    ["chat.send", say("hi", "r1")],
    ["chat.send", say("hi", "r2", { sessionKey: KEY })],
    ["agent", { message: "hi", idempotencyKey: "r3" }],
    ["agent", { message: "hi", idempotencyKey: "r4", agentId: "main" }],
    ["sessions.create", { agentId: "main" }],
  ] as const) {
    expect(await client.ask(method, params), method).toMatchObject({
      ...{ ok: false, error: { code: "FORBIDDEN", details: { code: "agent_not_allowed" } } },
    });
  }
  expect(await client.ask("agent.identity.get", { agentId: "main" })).toMatchObject({ ok: false });
  expect(await client.request("agent", { message: "hi", idempotencyKey: "r5", agentId: "poet" })).toMatchObject({
    sessionKey: "agent:poet:main",
  });
  await client.untilEvent("chat", ({ state }) => state === "final");
  const listed = await request("/v1/sessions", { headers: bearer("ann") });
  expect(await listed.json()).toMatchObject({ data: [{ id: "agent:poet:main" }] });
});

test("nothing that such a key is told names another agent, the default one neither", async () => {
  const config = {
    gateway: { auth: keysWith({ ann: { agents: ["poet"] } }) },
    agents: { list: [{ id: "hidden", default: true, model: "demo" }] },
  };
  const { url, gateway } = await startGateway({ agents: [obedient({ id: "poet" }).agent], config });
  expect(gateway.defaultAgent.id).toBe("hidden");
  const client = await connectWatched(url, { token: tokenOf("ann") });
  expect(client.hello.snapshot.sessionDefaults).toMatchObject({ mainSessionKey: "agent:poet:main" });
  expect(await client.request("agent.identity.get")).toMatchObject({ agentId: "poet" });
  expect(await client.request("agents.list")).toMatchObject({ defaultId: "poet", agents: [{ id: "poet" }] });
  expect(await client.request("health")).toMatchObject({ agents: [{ agentId: "poet", isDefault: true }] });
  for (const method of ["status", "models.list", "sessions.list", "config.get"]) {
    expect(await client.ask(method), method).toMatchObject({ ok: true });
  }
  const bare = { ...say("hi", "r1"), key: "s" };
  for (const method of ["chat.send", "agent", "chat.history", "sessions.describe", "sessions.messages.subscribe"]) {
    expect(await client.ask(method, bare), method).toMatchObject({ error: { details: { code: "agent_not_allowed" } } });
  }
  expect(await client.ask("agent.identity.get", { sessionKey: "global" })).toMatchObject({ ok: false });
  expect(await client.ask("chat.history", { sessionKey: "agent:poet:s" })).toMatchObject({ ok: true });
  expect(await client.ask("chat.history", { sessionKey: "s", agentId: "poet" })).toMatchObject({ ok: true });
  await client.request("chat.send", say("hi", "r2", { sessionKey: "agent:poet:s" }));
  await client.untilEvent("chat", ({ state }) => state === "final");
  expect(JSON.stringify(client.frames)).not.toMatch(/hidden|demo/);
});

test("agents are told to those who may list them", async () => {
  const { join } = await start(keysWith({ ann: { scopes: ["chat"] } }));
  expect(await (await join("ann")).request("health")).toMatchObject({ defaultAgentId: "main", agents: [] });
});

import { SOCKET_METHODS, type SocketMethodName } from "@openclaw/protocol/socket";
import { expect, onTestFinished, test } from "vitest";
import { agentOf, stepper } from "../support/agents.ts";
import { authWith, tokenOf } from "../support/keys.ts";
import { user } from "../support/sessions.ts";
import { connectSocket, type SocketClientOptions } from "../support/socket-client.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

/** A gateway whose agent echoes, and a client of it. */
async function start(options: StartOptions = {}) {
  const agent = agentOf(async function* ({ messages }) {
    yield `re: ${messages.at(-1)?.content}`;
  });
  const started = await startGateway({ agents: [agent], ...options });
  const { gateway, url } = started;
  const connect = async (more: SocketClientOptions = {}) => {
    const client = await connectSocket(url, { token: TOKEN, ...more });
    onTestFinished(() => client.close());
    return client;
  };
  const client = await connect();
  return {
    ...started,
    connect,
    client,
    /** Asks, and holds the answer against its schema. */
    async ask(method: SocketMethodName, params: object = {}) {
      const payload = await client.request(method, params);
      expect(SOCKET_METHODS[method].result.parse(payload)).toEqual(payload);
      return payload;
    },
    refused: async (method: SocketMethodName, params: object) => {
      const { error } = await client.ask(method, params);
      return `${error?.code}: ${error?.message}`;
    },
    async say(key: string, text: string, owner = "operator") {
      const turn = { messages: [user(text)], instructions: [], params: {}, stream: false };
      const agent = gateway.agents.find(({ id }) => key.startsWith(`agent:${id}:`)) ?? gateway.defaultAgent;
      const run = gateway.runs.start({ agent, turn, session: { owner, key, stateless: false } });
      await run.result;
      return run.id;
    },
  };
}

test("sessions are listed, those used last first, in pages", async () => {
  const { ask, say } = await start();
  for (const name of ["a", "b", "c"]) await say(`agent:main:${name}`, "hi");
  await say("agent:main:theirs", "hi", "local");
  const keys = async (params: object) => {
    const list = await ask("sessions.list", params);
    expect(list.count).toBe(list.sessions.length);
    return [list.sessions.map(({ key }: { key: string }) => key.replace("agent:main:", "")).join(" "), list.totalCount];
  };
  const whole = await ask("sessions.list", {});
  expect(whole).toMatchObject({ count: 3, totalCount: 3, limitApplied: 100, hasMore: false, nextOffset: null });
  expect(await keys({})).toEqual(["c b a", 3]);
  expect(await ask("sessions.list", { limit: 2 })).toMatchObject({ limitApplied: 2, hasMore: true, nextOffset: 2 });
  expect(await keys({ limit: 2, offset: 2 })).toEqual(["a", 3]);
  expect(await keys({ offset: 10 })).toEqual(["", 3]);
  expect((await ask("sessions.list", { limit: 5000 })).limitApplied).toBe(1000);
  await ask("sessions.patch", { key: "b", label: "A trip" });
  expect(await keys({ search: "TRIP" })).toEqual(["b", 1]);
  expect(await keys({ label: "A trip" })).toEqual(["b", 1]);
  expect(await keys({ label: "trip" })).toEqual(["", 0]);
  expect(await keys({ agentId: "Main" })).toEqual(["c b a", 3]);
  expect(await keys({ agentId: "other" })).toEqual(["", 0]);
  expect(await keys({ activeMinutes: 1 })).toEqual(["c b a", 3]);
});

test("a session is described by any name of its key, and resolved by others", async () => {
  const { ask, refused, say } = await start();
  await say("agent:main:main", "hi");
  await say("agent:main:trip", "hi");
  const { session } = await ask("sessions.describe", { key: " main " });
  expect(session).toMatchObject({ key: "agent:main:main", isMain: true, agentId: "main", hasActiveRun: false });
  expect(await ask("sessions.describe", { key: "nothing" })).toEqual({ session: null });
  await ask("sessions.patch", { key: "trip", label: "Trip" });
  const found = { ok: true, key: "agent:main:trip", agentId: "main" };
  const { sessionId } = (await ask("sessions.describe", { key: "trip" })).session;
  for (const params of [{ key: "trip" }, { label: "Trip" }, { sessionId }, { shortId: sessionId.slice(0, 12) }]) {
    expect(await ask("sessions.resolve", params)).toEqual(found);
  }
  for (const params of [{ key: "nope" }, { label: "nope" }, { sessionId: "nope" }, { shortId: "nope" }]) {
    expect(await refused("sessions.resolve", params)).toBe("INVALID_REQUEST: No session found: nope");
  }
  expect(await refused("sessions.resolve", {})).toContain("invalid sessions.resolve params: at root: must have one of");
  expect(await refused("sessions.resolve", { key: "trip", label: "Trip" })).toContain("must have one of");
  await ask("sessions.patch", { key: "main", label: "Trip" });
  expect(await refused("sessions.resolve", { label: "Trip" })).toBe(
    "INVALID_REQUEST: Multiple sessions found: Trip (agent:main:trip, agent:main:main)",
  );
});

test("a session is made empty, once, and with what it is to be", async () => {
  const { ask, refused, client } = await start();
  await client.request("sessions.subscribe", {});
  const made = await ask("sessions.create", { label: " New talk ", model: "openai/gpt-5", thinkingLevel: "HIGH" });
  expect(made.key).toMatch(/^agent:main:dashboard:[0-9a-f-]{36}$/);
  const set = { label: "New talk", providerOverride: "openai", modelOverride: "gpt-5", thinkingLevel: "high" };
  expect(made).toMatchObject({ ok: true, runStarted: false, entry: { sessionId: made.sessionId, ...set } });
  const changed = await client.untilEvent("sessions.changed");
  expect(changed).toMatchObject({ sessionKey: made.key, agentId: "main", reason: "create" });
  expect(changed.session).toMatchObject({ label: "New talk", modelProvider: "openai", model: "gpt-5" });
  expect(await ask("chat.history", { sessionKey: made.key })).toMatchObject({ messages: [], thinkingLevel: "high" });
  const again = await ask("sessions.create", { key: made.key, label: "Another" });
  expect(again).toMatchObject({ key: made.key, entry: { ...set, label: "Another" } });
  expect(await refused("sessions.create", { agentId: "gone" })).toBe(
    'INVALID_REQUEST: Agent "gone" no longer exists in configuration',
  );
  expect(await refused("sessions.create", { key: "agent:main:x", agentId: "other" })).toContain("INVALID_REQUEST");
  expect((await ask("sessions.list", {})).count).toBe(1);
});

test("a session is changed part by part, and null takes back", async () => {
  const { ask, refused, say } = await start();
  // Before anything was said in it, too.
  const first = await ask("sessions.patch", { key: "main", model: "openai/gpt-5" });
  expect(first).toMatchObject({ key: "agent:main:main", resolved: { modelProvider: "openai", model: "gpt-5" } });
  expect(first.entry).not.toHaveProperty("label");
  await say("agent:main:main", "hi");
  await ask("sessions.patch", { key: "main", label: "L", thinkingLevel: "off" });
  const row = async () => (await ask("sessions.describe", { key: "main" })).session;
  expect(await row()).toMatchObject({ label: "L", model: "gpt-5", thinkingLevel: "off" });
  const cleared = await ask("sessions.patch", { key: "main", label: null, model: null, thinkingLevel: null });
  expect(cleared.resolved).toEqual({});
  for (const member of ["label", "model", "thinkingLevel"]) expect(await row()).not.toHaveProperty(member);
  for (const [params, words] of [
    [{ model: "gpt-5" }, "at /model: must be provider/model"],
    [{ thinkingLevel: "very much" }, "at /thinkingLevel: must be one word"],
    [{ label: "two\nlines" }, "at /label: must be one line of characters"],
    [{ label: 5 }, "at /label"],
    [{ label: "x".repeat(201) }, "at /label"],
  ] as const) {
    const refusal = await refused("sessions.patch", { key: "main", ...params });
    expect(refusal).toContain("INVALID_REQUEST: invalid sessions.patch params: ");
    expect(refusal).toContain(words);
  }
  expect(await refused("sessions.patch", { label: "no key" })).toContain("at /key");
});

test("who may do less may change less, and what others have is not there", async () => {
  const keys = { chat: { scopes: ["chat"] }, reader: { scopes: ["chat", "sessions"] } } as const;
  const auth = authWith({ chat: { scopes: [...keys.chat.scopes] }, reader: { scopes: [...keys.reader.scopes] } });
  const { connect, say } = await start({ config: { gateway: { auth } } });
  await say("agent:main:main", "hi");
  const scopes = ["operator.read", "operator.write", "operator.admin"];
  const chat = await connect({ token: tokenOf("chat"), scopes });
  const reader = await connect({ token: tokenOf("reader"), scopes });
  const codeOf = async (client: typeof chat, method: string, params: object) => {
    const { ok, error } = await client.ask(method, params);
    return ok ? "ok" : `${error?.code} ${error?.message}`;
  };
  expect(await codeOf(chat, "sessions.list", {})).toBe("FORBIDDEN missing scope: sessions");
  expect(await codeOf(chat, "chat.history", { sessionKey: "main" })).toBe("FORBIDDEN missing scope: sessions");
  expect((await reader.request("sessions.list")).sessions).toEqual([]);
  expect((await reader.request("chat.history", { sessionKey: "main" })).messages).toEqual([]);
  expect(await reader.request("sessions.delete", { key: "main" })).toMatchObject({ deleted: false });
  expect(await codeOf(reader, "sessions.patch", { key: "main", model: "a/b" })).toBe(
    "FORBIDDEN missing scope: override-model",
  );
  expect(await codeOf(reader, "sessions.patch", { key: "main", thinkingLevel: "low" })).toBe(
    "FORBIDDEN missing scope: operator.admin",
  );
  expect(await codeOf(reader, "sessions.reset", { key: "main" })).toBe("FORBIDDEN missing scope: operator.admin");
  // Nothing of what was refused has made a session.
  expect((await reader.request("sessions.list")).sessions).toEqual([]);
  expect(await codeOf(reader, "sessions.patch", { key: "main", label: "mine" })).toBe("ok");
  const writer = await connect({ scopes: ["operator.write"] });
  expect((await writer.request("sessions.describe", { key: "main" })).session).not.toHaveProperty("label");
  const refusal = await writer.ask("sessions.create", { thinkingLevel: "low" });
  expect(refusal.error).toMatchObject({ code: "FORBIDDEN", message: "missing scope: operator.admin" });
});

test("a session is deleted with all that is in it, but not while a run is active", async () => {
  const { agent, say: answer, end, started } = stepper();
  const { ask, refused, say, client } = await start({ agents: [agent] });
  await client.request("sessions.subscribe");
  const run = say("agent:main:main", "hi");
  await started;
  for (const method of ["sessions.delete", "sessions.reset"] as const) {
    expect(await refused(method, { key: "main" })).toContain("A run is active in this session");
  }
  expect((await ask("sessions.describe", { key: "main" })).session).toMatchObject({ hasActiveRun: true });
  answer("hello");
  end();
  const runId = await run;
  const idle = await client.untilEvent("sessions.changed", ({ phase }) => phase === "end");
  expect(idle).toMatchObject({ runId, session: { hasActiveRun: false, activeRunIds: [] } });
  expect(await ask("sessions.delete", { key: "main" })).toEqual({
    ok: true,
    key: "agent:main:main",
    deleted: true,
    archived: [],
  });
  const gone = await client.untilEvent("sessions.changed", ({ reason }) => reason === "delete");
  expect(gone).toMatchObject({ sessionKey: "agent:main:main", agentId: "main", session: null });
  expect(await ask("sessions.delete", { key: "main" })).toMatchObject({ deleted: false });
  expect(await ask("sessions.describe", { key: "main" })).toEqual({ session: null });
});

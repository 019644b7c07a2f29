import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { agentOf } from "../support/agents.ts";
import { obedient } from "../support/obedient.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

/** One pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let lastId = 0;
const say = (message: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey: `r${++lastId}`, ...more },
});

async function start(options: StartOptions = {}) {
  const told = obedient({ input: ["text", "image"] });
  const { url } = await startGateway({ agents: [told.agent], ...options });
  const client = await connectWatched(url, { token: TOKEN });
  return {
    ...told,
    client,
    /** `<code>: <message>` of what must be refused. */
    async refused(params: object, method = "chat.send"): Promise<string> {
      const { ok, error } = await client.ask(method, params);
      expect(ok).toBe(false);
      return `${error?.code}: ${error?.message}`;
    },
    async finish(params: { idempotencyKey: string }, method = "chat.send") {
      await client.request(method, params);
      return client.untilEvent("chat", ({ runId, state }) => runId === params.idempotencyKey && state !== "delta");
    },
  };
}

test("words are composed, and have no control characters but tabs and line breaks", async () => {
  const { finish, turns, refused, client } = await start();
  await finish(say("Zoe\u0308\u0007\u001b[31m\r\n\tred\u007f \ud800"));
  const kept = "Zo\u00eb[31m\r\n\tred \ufffd";
  expect(turns.at(-1)?.messages.at(-1)?.content).toBe(kept);
  const { messages } = await client.request("chat.history", { sessionKey: "s" });
  expect(messages[0].content).toBe(kept);
  for (const method of ["chat.send", "agent"]) {
    expect(await refused(say("a\u0000b"), method)).toMatch(/^INVALID_REQUEST: .*\/message.*NUL/);
    for (const blank of [" \n", "\u0007"]) {
      expect(await refused(say(blank), method)).toBe("INVALID_REQUEST: message or attachment required");
    }
  }
  expect(turns).toHaveLength(1);
});

test("images come along, with words or alone, and nothing else does", async () => {
  const { finish, turns, refused, client } = await start();
  const url = `data:image/png;base64,${PNG}`;
  const image = { type: "image_url", image_url: { url } };
  await finish(say("look", { attachments: [{ type: "image", mimeType: "image/png", content: PNG }] }));
  expect(turns.at(-1)?.messages.at(-1)?.content).toEqual([{ type: "text", text: "look" }, image]);
  await finish(say("", { attachments: [{ mimeType: "image/png", content: url }] }));
  expect(turns.at(-1)?.messages.at(-1)?.content).toEqual([image]);
  const { messages } = await client.request("chat.history", { sessionKey: "s" });
  expect(messages[0].content).toEqual([
    ...[
      { type: "text", text: "look" },
      { type: "image", mimeType: "image/png", omitted: true },
    ],
  ]);
  const attach = (attachment: object) => say("look", { attachments: [attachment] });
  expect(await refused(attach({ mimeType: "application/pdf", content: PNG }))).toMatch(/\/attachments\/0\/mimeType/);
  expect(await refused(attach({ mimeType: "image/png" }))).toMatch(/\/attachments\/0\/content/);
  expect(await refused(attach({ mimeType: "image/png", content: "no base64!" }))).toMatch(/^INVALID_REQUEST/);
  expect(await refused(attach({ mimeType: "image/png", content: "aGVsbG8=" }))).toMatch(/^INVALID_REQUEST/);
  expect(await refused(say("x", { attachments: Array(9).fill({ mimeType: "image/png", content: PNG }) }))).toMatch(
    /^INVALID_REQUEST/,
  );
  expect(turns).toHaveLength(2);
});

test("an agent that is not there is named", async () => {
  const { refused } = await start();
  expect(await refused(say("hi", { sessionKey: "agent:gone:s" }))).toBe(
    'INVALID_REQUEST: Agent "gone" no longer exists in configuration',
  );
  expect(await refused(say("hi", { agentId: "gone" }))).toMatch(/^INVALID_REQUEST: Agent "gone"/);
  expect(await refused(say("hi", { agentId: "gone" }), "agent")).toBe(
    'INVALID_REQUEST: invalid agent params: unknown agent id "gone"',
  );
  expect(await refused(say("hi", { sessionKey: "agent:gone:s", agentId: "main" }))).toMatch(
    /^INVALID_REQUEST: session key/,
  );
  expect(await refused(say("hi", { sessionKey: "agent::" }))).toMatch(/^INVALID_REQUEST: malformed session key/);
});

test("agent talks in the main session of its agent where no other is named", async () => {
  const poet = obedient({ id: "poet" });
  const main = obedient();
  const { client } = await start({ agents: [main.agent, poet.agent] });
  const accepted = async (more: object) => {
    const { sessionKey: _, ...params } = say("hi");
    const { sessionKey, agentId } = await client.request("agent", { ...params, ...more });
    return [sessionKey, agentId];
  };
  expect(await accepted({})).toEqual(["agent:main:main", "main"]);
  expect(await accepted({ agentId: "Poet" })).toEqual(["agent:poet:main", "poet"]);
  expect(await accepted({ sessionKey: "agent:poet:x" })).toEqual(["agent:poet:x", "poet"]);
});

test("agent hears instructions and effort of this turn", async () => {
  const { finish, turns } = await start();
  await finish(say("hi", { extraSystemPrompt: "Be brief.", thinking: "high" }), "agent");
  expect(turns[0]).toMatchObject({ instructions: ["Be brief."], params: { reasoning_effort: "high" } });
  await finish(say("hi"));
  expect(turns[1]).toMatchObject({ instructions: [], params: {} });
});

test.each(["chat.send", "agent"])("%s: the effort is one word, in any case", async (method) => {
  const { finish, turns, refused } = await start();
  await finish(say("hi", { thinking: " HIGH " }), method);
  await finish(say("hi", { thinking: "Off" }), method);
  await finish(say("hi", { thinking: " " }), method);
  expect(turns.map(({ params }) => params)).toEqual([{ reasoning_effort: "high" }, { reasoning_effort: "none" }, {}]);
  for (const thinking of ["very high", "1", "{}"]) {
    expect(await refused(say("hi", { thinking }), method)).toMatch(
      new RegExp(`^INVALID_REQUEST: invalid ${method} params: at /thinking: must be one word`),
    );
  }
  expect(turns).toHaveLength(3);
});

test("a run that takes too long ends as one: seconds for agent, milliseconds for chat.send, 0 for no limit", async () => {
  const { finish, client, go } = await start();
  const late = await finish(say("wait", { timeoutMs: 10 }));
  expect(late).toMatchObject({ state: "error", errorKind: "timeout", message: { content: [{ text: "so far" }] } });
  client.send({ type: "req", id: "late", method: "agent", params: say("wait", { timeout: 1 }) });
  const last = await client.until(({ id, payload }) => id === "late" && payload.status !== "accepted");
  expect(last).toMatchObject({ ok: true, payload: { status: "timeout", error: "The run took longer than 1 s." } });
  for (const [method, limit] of [
    ["chat.send", { timeoutMs: 0 }],
    ["agent", { timeout: 0 }],
  ] as const) {
    const params = say("wait", limit);
    const end = finish(params, method);
    go(params.idempotencyKey);
    expect(await end).toMatchObject({ state: "final" });
  }
});

test.each([
  ["content_filter", "refusal"],
  ["provider_timeout", "timeout"],
  ["rate_limit_exceeded", "rate_limit"],
  ["provider_rate_limited", "rate_limit"],
  ["context_length_exceeded", "context_length"],
  ["provider_unreachable", "unknown"],
] as const)("a failure with %s is told as %s", async (code, errorKind) => {
  const failing = agentOf(async function* () {
    yield "";
    throw new GatewayError(code, "in these words");
  });
  const { finish } = await start({ agents: [failing] });
  expect(await finish(say("hi"))).toMatchObject({ state: "error", errorKind, errorMessage: "in these words" });
});

test("a run that finds no room behind others ends at once", async () => {
  const { client, begun, finish } = await start({ config: { sessions: { maxQueued: 1 } } });
  const first = say("wait");
  await client.request("chat.send", first);
  await begun(first.idempotencyKey);
  await client.request("chat.send", say("second"));
  expect(await finish(say("third"))).toMatchObject({ state: "error", errorKind: "rate_limit" });
});

test("a gateway that closes starts nothing, and says that it may be tried again", async () => {
  const { agent, begun } = obedient();
  const { url, gateway } = await startGateway({ agents: [agent] });
  const client = await connectWatched(url, { token: TOKEN });
  const first = say("wait");
  await client.request("chat.send", first);
  await begun(first.idempotencyKey);
  const closed = gateway.close({ drainTimeoutMs: 60_000 });
  const { error } = await client.ask("chat.send", say("hi"));
  expect(error).toMatchObject({
    ...{ code: "UNAVAILABLE", retryable: true, retryAfterMs: 5000, details: { code: "gateway_draining" } },
  });
  await client.request("chat.abort", { sessionKey: "s" });
  await closed;
  expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
  const told = client.events.map(({ event, payload }) => `${event} ${(payload as { state?: string }).state ?? ""}`);
  expect(told.slice(-2)).toEqual(["chat aborted", "shutdown "]);
});

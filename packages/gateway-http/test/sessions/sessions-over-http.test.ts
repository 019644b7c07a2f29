import { expect, test } from "vitest";
import { type AgentTurn, defineAgent, GatewayError } from "../../src/index.ts";
import { agentOf, stepper } from "../support/agents.ts";
import { ask, askStream, hi, openRaw } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { type StartOptions, startGateway } from "../support/start-gateway.ts";

const user = (content: string) => ({ role: "user", content });
const says = (text: string, more: object = {}) => hi({ messages: [user(text)], ...more });

/** What an agent was asked, as short as `"hi, answer 1, more"`. */
const talkOf = ({ messages }: AgentTurn) => messages.map(({ content }) => content).join(", ");

/** A gateway that counts its answers and remembers what it was asked. */
async function listening(options: StartOptions = {}) {
  const heard: string[] = [];
  const keys: string[] = [];
  const run = async function* (turn: AgentTurn) {
    heard.push(talkOf(turn));
    keys.push(turn.sessionKey);
    yield `answer ${heard.length}`;
  };
  const agents = [agentOf(run), defineAgent({ id: "beta", run })];
  return { heard, keys, ...(await startGateway({ agents, ...options })) };
}

test("without a session nothing is remembered", async () => {
  const { heard, keys, ...door } = await listening();
  await ask(door, says("one"));
  await ask(door, says("two"));
  expect(heard).toEqual(["one", "two"]);
  expect(keys[0]).not.toBe(keys[1]);
});

test("the same user shares a session, another user does not", async () => {
  const { heard, ...door } = await listening();
  const first = await ask(door, says("one", { user: "ann" }));
  await askStream(door, says("two", { user: "ann" }));
  await ask(door, says("three", { user: "bob" }));
  expect(heard).toEqual(["one", "one, answer 1, two", "three"]);
  expect(first.response.headers.get("x-openclaw-session-key")).toBe("agent:main:openai-user:ann");
});

test("a user in any script has a session, and a header that can be sent back", async () => {
  const { heard, ...door } = await listening();
  const { response } = await ask(door, says("one", { user: "Жанна 漢 😀" }));
  const key = response.headers.get("x-openclaw-session-key") as string;
  await ask(door, says("two"), { "x-openclaw-session-key": key });
  expect(heard).toEqual(["one", "one, answer 1, two"]);
});

test("with fromUser off, user is only a name", async () => {
  const { heard, ...door } = await listening({ config: { sessions: { fromUser: false } } });
  for (const text of ["one", "two"]) await ask(door, says(text, { user: "ann" }));
  expect(heard).toEqual(["one", "two"]);
});

test("the chat-id headers are those of the config", async () => {
  const { keys, ...door } = await listening({ config: { sessions: { clientHeaders: ["x-chat"] } } });
  await ask(door, hi(), { "x-chat": "c1", "x-openwebui-chat-id": "c2" });
  await ask(door, hi(), { "x-openwebui-chat-id": "c2" });
  expect(keys[0]).toBe("agent:main:openai-chat:c1");
  expect(keys[1]).toMatch(/^agent:main:openai:/);
});

test("a talk that is sent whole each time is not remembered twice", async () => {
  const { heard, ...door } = await listening();
  const first = [user("one")];
  await ask(door, hi({ messages: first, user: "ann" }));
  await ask(door, hi({ messages: [...first, { role: "assistant", content: "answer 1" }, user("two")], user: "ann" }));
  expect(heard[1]).toBe("one, answer 1, two");
});

test("a session begins with the whole history it was sent", async () => {
  const { heard, ...door } = await listening();
  const history = [user("a"), { role: "assistant", content: "b" }, user("c")];
  await ask(door, hi({ messages: history, user: "ann" }));
  await ask(door, says("d", { user: "ann" }));
  expect(heard).toEqual(["a, b, c", "a, b, c, answer 1, d"]);
});

/** An agent that fails as often as told, then answers. */
function failing(times: number) {
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    if (heard.length <= times) throw new GatewayError("provider_overloaded", "busy");
    yield "done";
  });
  return { heard, agent };
}

test("a question that SDKs ask again after a failure is there once", async () => {
  const { heard, agent } = failing(2);
  const door = await startGateway({ agents: [agent] });
  for (let attempt = 0; attempt < 3; attempt++) await ask(door, says("one", { user: "ann" }));
  await ask(door, says("two", { user: "ann" }));
  expect(heard).toEqual(["one", "one", "one", "one, done, two"]);
});

test("a history that was sent with a failed first request is not lost", async () => {
  const { heard, agent } = failing(1);
  const door = await startGateway({ agents: [agent] });
  const messages = [user("a"), { role: "assistant", content: "b" }, user("c")];
  for (let attempt = 0; attempt < 2; attempt++) await ask(door, hi({ messages, user: "ann" }));
  await ask(door, says("d", { user: "ann" }));
  expect(heard).toEqual(["a, b, c", "a, b, c", "a, b, c, done, d"]);
});

test("an answer that was cut short is remembered as far as it went", async () => {
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    yield "half";
    if (heard.length === 1) throw new GatewayError("provider_overloaded", "busy");
  });
  const door = await startGateway({ agents: [agent] });
  await askStream(door, says("one", { user: "ann" }));
  await ask(door, says("go on", { user: "ann" }));
  expect(heard).toEqual(["one", "one, half, go on"]);
});

test("a session key of another agent than the named one is refused, and of an agent nobody knows", async () => {
  const door = await listening();
  const key = (value: string) => ({ "x-openclaw-session-key": value });
  const refusal = async (body: Record<string, unknown>, headers: Record<string, string>) => {
    const { status, json } = await ask(door, body, headers);
    return [status, json.error?.code, json.error?.param];
  };
  const invalid = [400, "invalid_session_key", "x-openclaw-session-key"];
  expect(await refusal(hi({ model: "openclaw:main" }), key("agent:beta:x"))).toEqual(invalid);
  expect(await refusal(hi(), { ...key("agent:beta:x"), "x-openclaw-agent-id": "main" })).toEqual(invalid);
  expect(await refusal(hi(), key("agent:nobody:x"))).toEqual([404, "model_not_found", "x-openclaw-session-key"]);
});

test("a session key names the agent when model does not", async () => {
  const { keys, ...door } = await listening();
  await ask(door, hi(), { "x-openclaw-session-key": "agent:beta:x" });
  await ask(door, hi({ model: "openclaw:beta" }), { "x-openclaw-session-key": "x" });
  expect(keys).toEqual(["agent:beta:x", "agent:beta:x"]);
});

test("runs of one session wait for each other, in the order they came", async () => {
  const { provider, gateway, ...door } = await startWithProvider();
  const answers = [];
  for (const [index, text] of ["one", "two", "three"].entries()) {
    answers.push(ask(door, says(text, { user: "ann" })));
    await expect.poll(() => gateway.runs.active, { interval: 5 }).toBe(index + 1);
  }
  for (const text of ["one", "two", "three"]) {
    const exchange = await provider.next();
    expect(exchange.json.messages.at(-1)?.content).toBe(text);
    expect(exchange.json.messages.at(-2)?.content).toBe(text === "one" ? undefined : "ok");
    exchange.answer(200, { choices: [{ message: { content: "ok" }, finish_reason: "stop" }] });
  }
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("distinct sessions run side by side", async () => {
  const { provider, ...door } = await startWithProvider();
  const answers = ["ann", "bob"].map((name) => ask(door, says("hi", { user: name })));
  const exchanges = [await provider.next(), await provider.next()];
  for (const exchange of exchanges) exchange.answer(200, { choices: [{ message: { content: "ok" } }] });
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("a full queue is 429 at once, as plain JSON even for a stream", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { maxQueued: 0 } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const { response, json } = await ask(door, hi({ user: "ann", stream: true }));
  expect([response.status, json.error.code]).toEqual([429, "queue_full"]);
  expect(response.headers.get("retry-after")).toBe("1");
  end();
  await first;
});

test("reject: 409 session_busy, which may be tried again", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { concurrency: "reject" } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const { response, json } = await ask(door, hi({ user: "ann" }));
  expect([response.status, json.error.code, response.headers.get("x-should-retry")]).toEqual([
    409,
    "session_busy",
    "true",
  ]);
  end();
  expect((await first).status).toBe(200);
});

test("interrupt: the running one's caller gets 409 run_aborted, not to be tried again", async () => {
  const { agent, started, say, aborted, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { concurrency: "interrupt" } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const second = ask(door, hi({ user: "ann" }));
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  const { response, json } = await first;
  expect([response.status, json.error.code, response.headers.get("x-should-retry")]).toEqual([
    409,
    "run_aborted",
    "false",
  ]);
  // The first run took one step of the agent's with it.
  say("lost");
  say("second");
  end();
  expect((await second).text).toContain("second");
});

test("stateless runs have no lane", async () => {
  const { provider, ...door } = await startWithProvider({ config: { sessions: { concurrency: "reject" } } });
  const answers = [ask(door), ask(door)];
  const exchanges = [await provider.next(), await provider.next()];
  for (const exchange of exchanges) exchange.answer(200, { choices: [{ message: { content: "ok" } }] });
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("what a session sends to its provider begins with what it sent before, byte for byte", async () => {
  const { provider, ...door } = await startWithProvider({
    agent: { instructions: "Be brief.", params: { temperature: 0.2 } },
    script: (exchange) => exchange.answer(200, { choices: [{ message: { content: 'é "ok"' } }] }),
  });
  const tools = [{ type: "function", function: { name: "f", parameters: { b: 1, a: 2 } } }];
  for (const text of ["one", "two\n", "three 😀"]) {
    await ask(door, hi({ user: "ann", tools, messages: [{ role: "system", content: "Extra." }, user(text)] }));
  }
  const bodies = provider.exchanges.map(({ body }) => body.toString("utf8"));
  for (const [index, body] of bodies.slice(0, -1).entries()) {
    expect(bodies[index + 1]?.startsWith(`${body.slice(0, -2)},`)).toBe(true);
  }
  expect(provider.exchanges[2]?.json.messages).toHaveLength(1 + 5);
  expect(provider.exchanges[2]?.json.messages[0]).toEqual({ role: "system", content: "Be brief.\n\nExtra." });
});

test("a stateless talk that grows begins with what was sent before, too", async () => {
  const { provider, ...door } = await startWithProvider({
    script: (exchange) => exchange.answer(200, { choices: [{ message: { content: "ok" } }] }),
  });
  const call = { id: "c", type: "function", function: { name: "f", arguments: "{ }" } };
  const talk: object[] = [
    { content: "one", role: "user", name: null },
    { role: "assistant", tool_calls: [call], refusal: null, audio: null },
    { tool_call_id: "c", role: "tool", content: "r" },
    { role: "assistant", content: "ok" },
    user("two"),
  ];
  for (const length of [1, 3, 5]) await ask(door, hi({ messages: talk.slice(0, length) }));
  const bodies = provider.exchanges.map(({ body }) => body.toString("utf8"));
  expect(bodies[1]?.startsWith(`${bodies[0]?.slice(0, -2)},`)).toBe(true);
  expect(bodies[2]?.startsWith(`${bodies[1]?.slice(0, -2)},`)).toBe(true);
});

test("a client that leaves while it waits is forgotten by its session", async () => {
  const heard: string[] = [];
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    await gate.promise;
    yield "ok";
  });
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  const active = () => expect.poll(() => gateway.runs.active, { interval: 5 });
  const first = ask(door, says("one", { user: "ann" }));
  await active().toBe(1);
  const second = openRaw(door, says("two", { user: "ann" }));
  await active().toBe(2);
  second.kill();
  await active().toBe(1);
  gate.resolve();
  await first;
  await ask(door, says("three", { user: "ann" }));
  expect(heard).toEqual(["one", "one, ok, three"]);
});

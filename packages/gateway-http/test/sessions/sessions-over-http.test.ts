import { expect, test } from "vitest";
import { type AgentTurn, defineAgent, GatewayError } from "../../src/index.ts";
import { agentOf } from "../support/agents.ts";
import { ask, askStream, hi } from "../support/chat.ts";
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
  return { heard, keys, ...(await startGateway({ agents, store: "sqlite", ...options })) };
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

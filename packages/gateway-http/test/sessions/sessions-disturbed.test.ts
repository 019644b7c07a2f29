import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type AgentTurn, GatewayError } from "../../src/index.ts";
import { agentOf } from "../support/agents.ts";
import { ask, hi, openRaw } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const user = (content: string) => ({ role: "user", content });
const says = (text: string, more: object = {}) => hi({ messages: [user(text)], user: "ann", ...more });
const talkOf = ({ messages }: AgentTurn) =>
  messages
    .map((message) => (message.role === "tool" ? `(${message.content})` : (message.content ?? "[call]")))
    .join(", ");

/** An agent that answers at once, or when it may. */
function echo(mayAnswer: (question: string) => Promise<void> | undefined = () => undefined) {
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    const question = String(turn.messages.at(-1)?.content);
    await mayAnswer(question);
    yield `answer to ${question}`;
  });
  return { heard, agent };
}

test("runs that are interrupted before they began leave no answer behind", async () => {
  const gate = Promise.withResolvers<void>();
  const { heard, agent } = echo((question) => (question.startsWith("q") ? gate.promise : undefined));
  const door = await startGateway({ agents: [agent], config: { sessions: { concurrency: "interrupt" } } });
  await ask(door, says("zero"));
  const answered: string[] = [];
  let interrupted = 0;
  const ends = [0, 1, 2, 3, 4, 5].map(async (index) => {
    const { status } = await ask(door, says(`q${index}`));
    if (status === 200) answered.push(`q${index}`);
    // Whichever came last is answered only now: by then it has interrupted all the others.
    else if (++interrupted === 5) gate.resolve();
  });
  await Promise.all(ends);
  const [newest] = answered;
  expect([answered.length, heard.at(-1)]).toEqual([1, `zero, answer to zero, ${newest}`]);
  await ask(door, says("last"));
  expect(heard.at(-1)).toBe(`zero, answer to zero, ${newest}, answer to ${newest}, last`);
});

test("clients that leave while their question is being written leave no answer behind", async () => {
  const { heard, agent } = echo();
  const door = await startGateway({ agents: [agent] });
  for (let index = 0; index < 40; index++) {
    const client = openRaw(door, says(`q${index}`, { stream: true }));
    await sleep(index / 10);
    client.kill();
    await client.closed;
  }
  await expect.poll(() => door.gateway.runs.active).toBe(0);
  await ask(door, says("last"));
  // Whatever was answered, was answered with words.
  expect(heard.at(-1)).toMatch(/^(q\d+, answer to q\d+, )*last$/);
});

test("an answer that is not streamed and breaks off was read by nobody: its question is not doubled", async () => {
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    yield "half of ";
    if (heard.length <= 2) throw new GatewayError("provider_overloaded", "busy");
    yield "it";
  });
  const door = await startGateway({ agents: [agent] });
  for (let attempt = 0; attempt < 3; attempt++) await ask(door, says("q"));
  await ask(door, says("more"));
  expect(heard).toEqual(["q", "q", "q", "q, half of it, more"]);
});

const tools = [{ type: "function", function: { name: "weather" } }];
const result = (content: string, id = "call_0") => ({ role: "tool", tool_call_id: id, content });

/** An agent that calls a tool whenever somebody asks for the weather, always under the same ids. */
function caller(ids = ["call_0"]) {
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    const last = turn.messages.at(-1);
    if (last?.role !== "user" || !String(last.content).includes("weather")) return yield `ok ${heard.length}`;
    yield ids.flatMap((id, index) => [
      { type: "tool-call-start", index, id, name: "weather" } as const,
      { type: "tool-call-delta", index, arguments: "{}" } as const,
    ]);
  });
  return { heard, agent };
}

test("whoever says only what is new may tell a turn again, with its call and result", async () => {
  const { heard, agent } = caller();
  const door = await startGateway({ agents: [agent] });
  await ask(door, says("I live in Bern"));
  const { json } = await ask(door, says("weather at my place?", { tools }));
  const messages = [user("weather at my place?"), json.choices[0]?.message, result("sun")];
  await ask(door, hi({ messages, user: "ann", tools }));
  expect(heard[2]).toBe("I live in Bern, ok 1, weather at my place?, [call], (sun)");
  await ask(door, says("I live in Bern"));
  expect(heard[3]).toBe("I live in Bern, ok 1, weather at my place?, [call], (sun), ok 3, I live in Bern");
});

test("ids that a model uses again and again do not mix its calls up", async () => {
  const { heard, agent } = caller();
  const door = await startGateway({ agents: [agent] });
  await ask(door, says("weather?", { tools }));
  await ask(door, hi({ messages: [result("sun")], user: "ann", tools }));
  await ask(door, says("weather again?", { tools }));
  await ask(door, says("never mind"));
  expect(heard[3]).toBe("weather?, [call], (sun), ok 2, weather again?, [call], (not answered), never mind");
});

test("parallel calls may be answered one by one, each in its place", async () => {
  const { heard, agent } = caller(["a", "b"]);
  const door = await startGateway({ agents: [agent] });
  await ask(door, says("weather?", { tools }));
  await ask(door, hi({ messages: [result("sun", "a")], user: "ann", tools }));
  await ask(door, hi({ messages: [result("rain", "b")], user: "ann", tools }));
  expect(heard.slice(1)).toEqual(["weather?, [call], (sun), (not answered)", "weather?, [call], (sun), (rain)"]);
});

test("a result of a call that nobody made is 400 and names it", async () => {
  const { agent, heard } = caller();
  const door = await startGateway({ agents: [agent] });
  await ask(door, says("hi"));
  const { status, json } = await ask(door, hi({ messages: [result("sun", "nobody")], user: "ann" }));
  expect([status, json.error.code, json.error.param]).toEqual([400, "invalid_value", "messages[0].tool_call_id"]);
  expect(heard).toHaveLength(1);
});

test("a text of endless combining marks holds nobody up", async () => {
  const { agent } = echo();
  const door = await startGateway({ agents: [agent] });
  const marks = `a${"\u0315\u0300".repeat(100_000)}`;
  const headers = { "x-openwebui-chat-id": "c" };
  await ask(door, says(marks), headers);
  const before = performance.now();
  await ask(door, says(`${marks}b`), headers);
  // Ordered, they take minutes.
  expect(performance.now() - before).toBeLessThan(5000);
});

test("a session that is full takes no more, and others do not notice", async () => {
  const { agent, heard } = echo();
  const door = await startGateway({ agents: [agent] });
  const large = "x".repeat(12 * 1024 * 1024);
  const codes = [];
  for (let turn = 0; turn < 3; turn++) {
    const { status, json } = await ask(door, hi({ messages: [user(`${turn}${large}`)], user: "ann" }));
    codes.push(status, json.error?.code);
    // Whoever has reset it is not to wonder.
    if (json.error) expect(json.error.message).toContain("with all its branches and what was said before a reset");
  }
  expect(codes).toEqual([200, undefined, 400, "context_length_exceeded", 400, "context_length_exceeded"]);
  expect((await ask(door, says("hello", { user: "bob" }))).status).toBe(200);
  expect(heard).toHaveLength(2);
});

import type { ToolCall } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { ask, askStream, type Door, hi } from "../support/chat.ts";
import { clientTool, type Saying, startWithTools, toolsUsed } from "./with-tools.ts";

const user = { role: "user", content: "weather and time?" };
const MIXED: Saying = {
  text: "One moment.",
  calls: [
    ["echo", '{"text":"own"}', "own_1"],
    ["theirs", '{"city":"Bern"}', "client_1"],
  ],
};
const result = (tool_call_id: string, content: string) => ({ role: "tool", tool_call_id, content });
const own = {
  role: "assistant",
  content: null,
  tool_calls: [{ id: "own_1", type: "function", function: { name: "echo", arguments: '{"text":"own"}' } }],
};
const theirs = {
  role: "assistant",
  content: "One moment.",
  tool_calls: [{ id: "client_1", type: "function", function: { name: "theirs", arguments: '{"city":"Bern"}' } }],
};
const tools = [clientTool("theirs")];

test("a step with calls of both kinds runs the agent's and shows the client its own, numbered from 0", async () => {
  const door = await startWithTools({ says: [MIXED] });
  const { chunks, finishReason, text } = await askStream(door, hi({ messages: [user], tools }), {
    "x-openclaw-events": "1",
  });
  expect([text, finishReason]).toEqual(["One moment.", "tool_calls"]);
  expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
    { index: 0, id: "client_1", type: "function", function: { name: "theirs", arguments: "" } },
    { index: 0, function: { arguments: '{"city":"Bern"}' } },
  ]);
  expect(toolsUsed(chunks)).toEqual([
    { type: "tool-start", id: "own_1", name: "echo" },
    { type: "tool-end", id: "own_1", ok: true },
  ]);
});

/** Asks, runs the client's tools, and asks with their results, as a loop of any SDK does. */
async function followUp(door: Door, more: object, answer: (call: ToolCall) => object[]) {
  const { json } = await ask(door, hi({ messages: [user], tools, ...more }));
  const [choice] = json.choices;
  const call = choice?.message.tool_calls?.[0] as ToolCall;
  const messages = [user, choice?.message, ...answer(call)];
  return ask(door, hi({ messages, tools, ...more }));
}

const bothWays = [
  ["stateless", {}],
  ["in a session", { user: "ann" }],
] as const;

test.each(bothWays)("the follow-up goes on with what the agent did, %s", async (_, more) => {
  const door = await startWithTools({ says: [MIXED, { text: "Sunny at noon." }] });
  const { text } = await followUp(door, more, ({ id }) => [result(id, "sunny")]);
  expect(text).toBe("Sunny at noon.");
  expect(door.provider.exchanges[1]?.json.messages).toEqual([
    user,
    own,
    result("own_1", "echo own"),
    theirs,
    result("client_1", "sunny"),
  ]);
});

test.each(bothWays)("steps before the client's call come back too, %s", async (_, more) => {
  const first = { text: "First this.", calls: [["echo", '{"text":"1"}', "own_0"]] as const };
  const door = await startWithTools({ says: [first, MIXED, { text: "Sunny." }] });
  const { json } = await followUp(door, more, ({ id }) => [result(id, "sunny")]);
  expect(json.choices[0]?.message.content).toBe("Sunny.");
  const { messages } = door.provider.exchanges[2]?.json ?? {};
  expect(messages?.map(({ role, content }) => [role, content])).toEqual([
    ["user", user.content],
    ["assistant", "First this."],
    ["tool", "echo 1"],
    ["assistant", null],
    ["tool", "echo own"],
    ["assistant", "One moment."],
    ["tool", "sunny"],
  ]);
});

test.each(bothWays)("a client's call that nobody answers reaches the model as not answered, %s", async (_, more) => {
  const door = await startWithTools({ says: [MIXED, { text: "ok" }] });
  await followUp(door, more, () => [{ role: "user", content: "never mind" }]);
  expect(door.provider.exchanges[1]?.json.messages.slice(3)).toEqual([
    theirs,
    result("client_1", "not answered"),
    { role: "user", content: "never mind" },
  ]);
});

test("another caller's question with the same ids does not get them", async () => {
  const door = await startWithTools({ says: [MIXED, { text: "ok" }] });
  await ask(door, hi({ messages: [user], tools }));
  await ask(door, hi({ messages: [{ role: "user", content: "other" }, theirs, result("client_1", "x")], tools }));
  expect(JSON.stringify(door.provider.exchanges[1]?.json.messages)).not.toContain("own_1");
});

test("they wait no longer than the resume window", async () => {
  const config = { gateway: { http: { resumeWindowMs: 20 } } };
  const door = await startWithTools({ says: [MIXED, { text: "ok" }], config });
  const { json } = await ask(door, hi({ messages: [user], tools }));
  await new Promise((resolve) => setTimeout(resolve, 40));
  await ask(door, hi({ messages: [user, json.choices[0]?.message, result("client_1", "sunny")], tools }));
  expect(JSON.stringify(door.provider.exchanges[1]?.json.messages)).not.toContain("own_1");
});

test("a tool of the client's that is called like one of the agent's is refused by name", async () => {
  const door = await startWithTools({ says: [{ text: "never" }] });
  const { status, json } = await ask(door, hi({ tools: [clientTool("theirs"), clientTool("echo")] }));
  expect([status, json.error.code, json.error.param]).toEqual([400, "invalid_value", "tools[1].function.name"]);
  expect(json.error.message).toContain('"echo"');
  const streamed = await door.request("/v1/chat/completions", {
    body: hi({ tools: [clientTool("echo")], stream: true }),
  });
  expect(streamed.status).toBe(400);
  expect(door.provider.exchanges).toHaveLength(0);
});

test("the model hears of the agent's tools first, then of the client's", async () => {
  const door = await startWithTools({ says: [{ text: "ok" }] });
  const names = async (more: object) => {
    await ask(door, hi({ tools, ...more }));
    const sent = door.provider.exchanges.at(-1)?.json as unknown as {
      tools: { function: { name: string } }[];
      tool_choice?: unknown;
    };
    return [sent.tools.map((tool) => tool.function.name), sent.tool_choice];
  };
  const theirChoice = { type: "function", function: { name: "theirs" } };
  expect(await names({})).toEqual([["echo", "theirs"], undefined]);
  expect(await names({ tool_choice: "auto" })).toEqual([["echo", "theirs"], "auto"]);
  expect(await names({ tool_choice: "required" })).toEqual([["theirs"], "required"]);
  expect(await names({ tool_choice: theirChoice })).toEqual([["echo", "theirs"], theirChoice]);
  // About the client's tools: the agent's own are its own business.
  expect(await names({ tool_choice: "none" })).toEqual([["echo"], undefined]);
});

test("with none, a model that calls a tool of the client's all the same hears that there is none", async () => {
  const door = await startWithTools({ says: [{ calls: [["theirs", "{}"]] }, { text: "ok" }] });
  const { json } = await ask(door, hi({ tools, tool_choice: "none" }));
  expect(json.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "ok" } });
  expect(door.provider.exchanges[1]?.json.messages.at(-1)?.content).toBe('There is no tool "theirs".');
});

test("a mixed step may be the last of maxSteps: the client's results are still awaited", async () => {
  const door = await startWithTools({ says: [MIXED], agent: { maxSteps: 1 } });
  const { json } = await ask(door, hi({ messages: [user], tools }));
  expect(json.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: [{ id: "client_1" }] } });
});

test("what was thought in the steps is not told again with the client's call", async () => {
  const says = [{ ...MIXED, reasoning: "Both, then." }, { text: "ok" }];
  const door = await startWithTools({ says, agent: { exposeReasoning: "reasoning_content" } });
  await followUp(door, { user: "ann" }, ({ id }) => [result(id, "sunny")]);
  const thoughts = door.provider.exchanges[1]?.json.messages.flatMap((message) =>
    "reasoning_content" in message ? [message.reasoning_content] : [],
  );
  expect(thoughts).toEqual(["Both, then."]);
});

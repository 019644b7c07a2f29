import { expect, test } from "vitest";
import { z } from "zod";
import { ask, askStream, hi, openRaw } from "../support/chat.ts";
import { pathOf } from "../support/sessions.ts";
import { startWithTools } from "./with-tools.ts";

const KEY = "agent:main:trip";
const IN_SESSION = { "x-openclaw-session-key": "trip" };
const config = { sessions: { store: { kind: "sqlite" as const } } };
const user = (content: string) => ({ role: "user", content });
const says = [
  { text: "Let me see.", calls: [["echo", '{"text":"a"}']] as const },
  { text: "It is a." },
  { text: "Yes, a." },
];

async function messagesOf(door: Awaited<ReturnType<typeof startWithTools>>) {
  const response = await door.request(pathOf(KEY, "/messages"));
  return ((await response.json()) as { data: Record<string, unknown>[] }).data;
}

test("steps are hidden entries of the session, before the answer they led to", async () => {
  const door = await startWithTools({ says, config });
  await askStream(door, hi({ messages: [user("what?")] }), IN_SESSION);
  expect(await messagesOf(door)).toMatchObject([
    { role: "user", content: "what?", hidden: false },
    { role: "assistant", content: "Let me see.", hidden: true, tool_calls: [{ id: "c1" }] },
    { role: "tool", content: "echo a", hidden: true, tool_call_id: "c1" },
    { role: "assistant", content: "Let me see.\n\nIt is a.", hidden: false },
  ]);
});

const histories = [
  ["only what is new is sent", [user("sure?")]],
  [
    "the whole talk is sent again",
    [user("what?"), { role: "assistant", content: "Let me see.\n\nIt is a." }, user("sure?")],
  ],
  [
    "it is sent again a little changed",
    [
      user("what?"),
      { role: "assistant", content: [{ type: "text", text: " Let me see.\n\nIt is a.\n" }] },
      user("sure?"),
    ],
  ],
] as const;

test.each(histories)("the next turn's prompt begins with this one's, byte for byte, when %s", async (_, messages) => {
  const door = await startWithTools({ says, config });
  await ask(door, hi({ messages: [user("what?")] }), IN_SESSION);
  await ask(door, hi({ messages }), IN_SESSION);
  const prompts = door.provider.exchanges.map(({ body }) => /"messages":(\[.*)\]}$/s.exec(body.toString("utf8"))?.[1]);
  expect(prompts).toHaveLength(3);
  expect(prompts[1]?.startsWith(prompts[0] as string)).toBe(true);
  expect(prompts[2]?.startsWith(prompts[1] as string)).toBe(true);
  // Every word once, where it was said.
  expect(door.provider.exchanges[2]?.json.messages).toMatchObject([
    user("what?"),
    { role: "assistant", content: "Let me see.", tool_calls: [{ id: "c1" }] },
    { role: "tool", content: "echo a" },
    { role: "assistant", content: expect.stringMatching(/^It is a\.\n?$/) },
    user("sure?"),
  ]);
});

test("an answer that was edited counts as it was sent", async () => {
  const door = await startWithTools({ says, config });
  await ask(door, hi({ messages: [user("what?")] }), IN_SESSION);
  const edited = { role: "assistant", content: "It is b." };
  await ask(door, hi({ messages: [user("what?"), edited, user("sure?")] }), IN_SESSION);
  expect(door.provider.exchanges[2]?.json.messages).toEqual([user("what?"), edited, user("sure?")]);
});

test("what tools did in a run that was cut short is not forgotten", async () => {
  const second = Promise.withResolvers<void>();
  const door = await startWithTools({
    config,
    async says(exchange, index) {
      if (index === 1) return second.resolve();
      exchange.open();
      if (index > 1) {
        await exchange.say("I did.");
        return exchange.finish();
      }
      const call = { index: 0, id: "c1", function: { name: "send", arguments: "{}" } };
      await exchange.event({ choices: [{ delta: { tool_calls: [call] } }] });
      exchange.finish("tool_calls");
    },
    tools: { send: { schema: z.object({}), run: () => "sent" } },
  });
  const client = openRaw(door, hi({ messages: [user("send it")], stream: true }), IN_SESSION);
  await second.promise;
  client.kill();
  await expect.poll(async () => (await messagesOf(door)).length).toBe(4);
  expect((await messagesOf(door)).at(-1)).toMatchObject({ role: "assistant", content: "", aborted: true });
  await ask(door, hi({ messages: [user("did you?")] }), IN_SESSION);
  expect(door.provider.exchanges[2]?.json.messages).toMatchObject([
    user("send it"),
    { role: "assistant", content: null, tool_calls: [{ id: "c1" }] },
    { role: "tool", content: "sent" },
    user("did you?"),
  ]);
});

/** A model that calls `send` and then cannot go on; afterwards it answers. */
async function startInterrupted() {
  let sent = 0;
  const door = await startWithTools({
    config,
    async says(exchange, index) {
      if (index === 1) return exchange.answer(503, { error: { message: "busy" } });
      exchange.open();
      if (index > 1) await exchange.say("I did.");
      else
        await exchange.event({
          choices: [{ delta: { tool_calls: [{ index: 0, id: "c1", function: { name: "send" } }] } }],
        });
      exchange.finish(index > 1 ? "stop" : "tool_calls");
    },
    tools: { send: { schema: z.object({}), run: () => `sent ${++sent}` } },
  });
  return door;
}

test.each([
  ["streamed", true, {}],
  ["whole", false, {}],
  ["streamed, under a key", true, { "idempotency-key": "k" }],
  ["whole, under a key", false, { "idempotency-key": "k" }],
])("what tools did before a failure is known in the next turn, %s", async (_, stream, headers) => {
  const door = await startInterrupted();
  const body = hi({ messages: [user("send it")], stream });
  const response = await door.request("/v1/chat/completions", { body, headers: { ...IN_SESSION, ...headers } });
  await response.text();
  await ask(door, hi({ messages: [user("send it")] }), IN_SESSION);
  expect(door.provider.exchanges[2]?.json.messages).toMatchObject([
    user("send it"),
    { role: "assistant", tool_calls: [{ id: "c1" }] },
    { role: "tool", content: "sent 1" },
    user("send it"),
  ]);
});

test("a name that no tool can have does not spoil the session", async () => {
  const door = await startWithTools({
    config,
    says: [{ calls: [["multi_tool_use.parallel", "{}"]] }, { text: "ok" }],
  });
  await ask(door, hi({ messages: [user("go")] }), IN_SESSION);
  const [, step, result] = door.provider.exchanges[1]?.json.messages ?? [];
  expect(step).toMatchObject({ tool_calls: [{ function: { name: "multi_tool_use_parallel" } }] });
  expect(result?.content).toBe('There is no tool "multi_tool_use.parallel".');
});

test("of two turns with the same answer, a trimmed talk gets the steps of its own", async () => {
  const delet = (text: string) => ({ calls: [["echo", JSON.stringify({ text })]] as const });
  const door = await startWithTools({ config, says: [delet("a"), { text: "Done." }, delet("b"), { text: "Done." }] });
  const done = { role: "assistant", content: "Done." };
  await ask(door, hi({ messages: [user("delete a")] }), IN_SESSION);
  await ask(door, hi({ messages: [user("delete a"), done, user("delete b")] }), IN_SESSION);
  await ask(door, hi({ messages: [user("delete b"), done, user("what did you delete?")] }), IN_SESSION);
  const prompt = door.provider.exchanges[4]?.json.messages;
  expect(prompt?.map(({ content }) => content)).toEqual(["delete b", null, "echo b", "Done.", "what did you delete?"]);
});

test("a call whose tool was cut short reaches the model as not answered", async () => {
  const started = Promise.withResolvers<void>();
  const door = await startWithTools({
    says: [
      {
        calls: [
          ["quick", "{}", "q"],
          ["hang", "{}", "h"],
        ],
      },
      { text: "ok" },
    ],
    tools: {
      quick: { schema: z.object({}), run: () => "quick" },
      hang: {
        schema: z.object({}),
        run: () => {
          setTimeout(started.resolve, 20);
          return new Promise(() => {});
        },
      },
    },
  });
  const client = openRaw(door, hi({ messages: [user("go")], stream: true }), IN_SESSION);
  await started.promise;
  client.kill();
  await expect.poll(async () => (await messagesOf(door)).length).toBe(4);
  await ask(door, hi({ messages: [user("and?")] }), IN_SESSION);
  expect(door.provider.exchanges[1]?.json.messages.slice(2, 4)).toEqual([
    { role: "tool", tool_call_id: "q", content: "quick" },
    { role: "tool", tool_call_id: "h", content: "not answered" },
  ]);
});

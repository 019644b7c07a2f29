import { expect, test } from "vitest";
import { ask, hi } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";

const user = (content: string) => ({ role: "user", content });

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

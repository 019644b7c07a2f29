import { expect, test, vi } from "vitest";
import { createWaitingSteps } from "../../src/runs/waiting-steps.ts";

const owner = { owner: "ann", agentId: "main" };
const user = (content: string) => ({ role: "user" as const, content });
const result = (tool_call_id: string, content = "r") => ({ role: "tool" as const, tool_call_id, content });
const calling = (...ids: string[]) => ({
  role: "assistant" as const,
  content: null,
  tool_calls: ids.map((id) => ({ id, type: "function" as const, function: { name: "f", arguments: "{}" } })),
});
const steps = [calling("own"), result("own")];

test("steps come back before the calls that they led to, and before no others", () => {
  const waiting = createWaitingSteps(1000);
  waiting.keep(owner, [user("one"), calling("x"), result("x"), user("two")], ["a", "b"], { steps, carry: undefined });
  const follow = [user("one"), calling("x"), result("x"), user("two"), calling("b", "a"), result("a"), result("b")];
  const roles = waiting.putBack(owner, follow).map(({ role }) => role);
  expect(roles).toEqual(["user", "assistant", "tool", "user", "assistant", "tool", "assistant", "tool", "tool"]);
  for (const [whose, talk] of [
    [{ owner: "bob", agentId: "main" }, follow],
    [{ owner: "ann", agentId: "poet" }, follow],
    [owner, [user("other"), calling("a", "b")]],
    [owner, [user("two"), calling("a")]],
  ] as const) {
    expect(waiting.putBack(whose, talk)).toEqual(talk);
  }
});

test("two talks whose last question and call ids are the same get each their own", () => {
  const waiting = createWaitingSteps(1000);
  const talkOf = (name: string) => [
    user(`I am ${name}`),
    { role: "assistant" as const, content: "Shall I?" },
    user("yes"),
  ];
  for (const name of ["ann", "bob"]) {
    waiting.keep(owner, talkOf(name), ["call_0"], { steps: [calling("own"), result("own", name)], carry: undefined });
  }
  for (const name of ["ann", "bob"]) {
    const talk = waiting.putBack(owner, [...talkOf(name), calling("call_0"), result("call_0")]);
    expect(talk[4]).toMatchObject({ role: "tool", content: name });
  }
});

test("a talk is read once, and only when something waits for its calls", () => {
  const waiting = createWaitingSteps(1000);
  waiting.keep(owner, [user("one")], ["a"], { steps, carry: undefined });
  const long = { role: "user" as const, content: "x".repeat(200_000) };
  let reads = 0;
  const counted = new Proxy(long, {
    get(target, name) {
      if (name === "content") reads++;
      return Reflect.get(target, name);
    },
  });
  const others = Array.from({ length: 50 }, (_, index) => calling(`other ${index}`));
  expect(waiting.putBack(owner, [counted, ...others])).toHaveLength(51);
  expect(reads).toBe(0);
  waiting.putBack(owner, [counted, ...Array.from({ length: 50 }, () => calling("a"))]);
  expect(reads).toBeLessThan(5);
});

test("they wait for their time, and anew each time they are asked for", () => {
  vi.useFakeTimers();
  const waiting = createWaitingSteps(1000);
  const talk = [user("one"), calling("a")];
  waiting.keep(owner, [user("one")], ["a"], { steps, carry: undefined });
  vi.advanceTimersByTime(900);
  expect(waiting.putBack(owner, talk)).toHaveLength(4);
  vi.advanceTimersByTime(900);
  expect(waiting.putBack(owner, talk)).toHaveLength(4);
  vi.advanceTimersByTime(1100);
  expect(waiting.putBack(owner, talk)).toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("they hold 16 million characters at most: the oldest go first", () => {
  const waiting = createWaitingSteps(60_000);
  const big = [calling("own"), result("own", "x".repeat(1_000_000))];
  for (let index = 0; index < 40; index++)
    waiting.keep(owner, [user(`${index}`)], ["a"], { steps: big, carry: undefined });
  const held = Array.from(
    { length: 40 },
    (_, index) => waiting.putBack(owner, [user(`${index}`), calling("a")]).length,
  );
  expect(held.filter((length) => length === 4)).toHaveLength(16);
  expect(held.at(-1)).toBe(4);
  expect(held[0]).toBe(2);
});

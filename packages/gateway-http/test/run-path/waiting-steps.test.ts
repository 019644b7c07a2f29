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
  waiting.keep(owner, [user("one"), calling("x"), result("x"), user("two")], {
    callIds: ["a", "b"],
    steps,
    carry: undefined,
  });
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

test("they wait for their time, and anew each time they are asked for", () => {
  vi.useFakeTimers();
  const waiting = createWaitingSteps(1000);
  const talk = [user("one"), calling("a")];
  waiting.keep(owner, [user("one")], { callIds: ["a"], steps, carry: undefined });
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
    waiting.keep(owner, [user(`${index}`)], { callIds: ["a"], steps: big, carry: undefined });
  const held = Array.from(
    { length: 40 },
    (_, index) => waiting.putBack(owner, [user(`${index}`), calling("a")]).length,
  );
  expect(held.filter((length) => length === 4)).toHaveLength(16);
  expect(held.at(-1)).toBe(4);
  expect(held[0]).toBe(2);
});

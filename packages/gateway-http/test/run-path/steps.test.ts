import { expect, test } from "vitest";
import { Steps } from "../../src/runs/steps.ts";

const call = (id: string, name = "f", args = "{}") => ({
  id,
  type: "function" as const,
  function: { name, arguments: args },
});
const calls = (...tool_calls: ReturnType<typeof call>[]) => ({ role: "assistant" as const, content: null, tool_calls });
const result = (tool_call_id: string) => ({ role: "tool" as const, tool_call_id, content: "r" });

test("calls and their results are kept, as copies, without what nobody knows", () => {
  const steps = new Steps();
  const first = { ...calls(call("a"), call("b")), junk: 1 };
  steps.add(first);
  steps.add(result("b"));
  steps.add(result("a"));
  Object.assign(first, { tool_calls: [] });
  expect(steps.kept).toEqual([calls(call("a"), call("b")), result("b"), result("a")]);
});

test.each([
  ["a result without a call", [result("a")]],
  ["a second result of a call", [calls(call("a")), result("a"), result("a")]],
  ["two calls of one id", [calls(call("a"), call("a"))]],
  ["an assistant message without calls", [{ role: "assistant" as const, content: "hi" }]],
  ["arguments that are no JSON", [calls(call("a", "f", "{oops"))]],
  ["arguments that are no object", [calls(call("a", "f", "[]"))]],
  ["a name that no tool can have", [calls(call("a", "read file"))]],
  ["calls that are no list", [{ role: "assistant" as const, content: null, tool_calls: "abc" as never }]],
  ["a result that is no text", [calls(call("a")), { ...result("a"), content: { evil: 1 } as never }]],
])("%s is refused: it would spoil every later turn", (_, messages) => {
  const steps = new Steps();
  expect(() => {
    for (const message of messages) steps.add(message);
  }).toThrow("the agent yielded a step that cannot be kept");
});

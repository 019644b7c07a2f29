import type { AssistantMessage, ToolMessage, UserMessage } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { withAnsweredCalls } from "../../src/sessions/answered-calls.ts";

test("a client's call that was never answered has a result that says so", () => {
  const call = (id: string) => ({ id, type: "function" as const, function: { name: "f", arguments: "{}" } });
  const asked: AssistantMessage = { role: "assistant", content: null, tool_calls: [call("1"), call("2")] };
  const result: ToolMessage = { role: "tool", tool_call_id: "2", content: "42" };
  const next: UserMessage = { role: "user", content: "never mind" };
  expect(withAnsweredCalls([asked, result, next])).toEqual([
    asked,
    { role: "tool", tool_call_id: "1", content: "not answered" },
    result,
    next,
  ]);
});

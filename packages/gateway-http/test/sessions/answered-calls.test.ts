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
    result,
    { role: "tool", tool_call_id: "1", content: "not answered" },
    next,
  ]);
});

test("a call is answered right behind it or not at all, whatever its id", () => {
  const call = { id: "call_0", type: "function" as const, function: { name: "f", arguments: "{}" } };
  const asked: AssistantMessage = { role: "assistant", content: null, tool_calls: [call] };
  const result: ToolMessage = { role: "tool", tool_call_id: "call_0", content: "42" };
  const none: ToolMessage = { ...result, content: "not answered" };
  expect(withAnsweredCalls([asked, result, asked])).toEqual([asked, result, asked, none]);
  expect(withAnsweredCalls([asked, { role: "user", content: "u" }, result])).toEqual([
    asked,
    none,
    { role: "user", content: "u" },
    result,
  ]);
});

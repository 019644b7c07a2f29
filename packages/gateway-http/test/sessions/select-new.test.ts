import type { AssistantMessage, ToolMessage, UserMessage } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { selectNew, withAnsweredCalls, withoutUnanswered } from "../../src/sessions/select-new.ts";

/** `"u1 a1 u2"` as messages. */
const talk = (text: string): UserMessage[] =>
  text.split(" ").map((content) => {
    const role = { u: "user", a: "assistant", t: "tool" }[content.charAt(0)];
    return { role, content } as UserMessage;
  });

const fresh = (sent: string, past: string) =>
  selectNew(talk(sent), past === "" ? [] : talk(past))
    .map(({ content }) => content)
    .join(" ");

for (const [sent, expected] of [
  ["u1", "u1"],
  ["u1 u2", "u1 u2"],
  ["u1 a1 u2", "u2"],
  ["u1 a1 u2 u3", "u2 u3"],
  ["u1 a1 t1", "t1"],
  ["u1 a1 u2 a2 u3", "u3"],
  // Open WebUI's "continue": the session ends with the answer already.
  ["u1 a1", ""],
]) {
  test(`of ${sent} a session has everything but ${expected}`, () => {
    expect(fresh(sent as string, "u1 a1")).toBe(expected);
  });

  test(`of ${sent} an empty session has nothing`, () => {
    expect(fresh(sent as string, "")).toBe(sent);
  });
}

/** `"u1:A a1:A u2:B"`: what the runs A and B kept. */
const kept = (text: string) =>
  withoutUnanswered(
    text.split(" ").map((item) => {
      const [name = "", runId = ""] = item.split(":");
      const role = name.startsWith("a") ? "assistant" : "user";
      return { message: { role, content: name }, runId, at: 0 } as const;
    }),
  )
    .map(({ message }) => message.content)
    .join(" ");

for (const [past, expected] of [
  ["u1:A a1:A u2:B a2:B", "u1 a1 u2 a2"],
  ["u1:A", ""],
  ["u1:A u1:B a1:B", "u1 a1"],
  ["u1:A a1:A u2:B u3:C", "u1 a1"],
  ["u1:A a1:A u2:A", ""],
  ["u1:A a1:A u2:A a2:A u3:B", "u1 a1 u2 a2"],
]) {
  test(`of ${past} this was answered: ${expected || "nothing"}`, () => {
    expect(kept(past as string)).toBe(expected);
  });
}

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

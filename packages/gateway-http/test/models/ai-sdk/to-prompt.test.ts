import { expect, test } from "vitest";
import { toPrompt } from "../../../src/models/ai-sdk/to-prompt.ts";
import type { ModelRequest } from "../../../src/models/model.ts";

type Messages = ModelRequest["messages"];

const said = (id: string, args = "{}"): Messages => [
  { role: "user", content: "hi" },
  { role: "assistant", content: "", tool_calls: [{ id, type: "function", function: { name: "f", arguments: args } }] },
  { role: "tool", tool_call_id: id, content: "done" },
];

const idsOf = (messages: Messages, key: string) =>
  toPrompt(messages, key, "x").flatMap(({ content }) =>
    typeof content === "string" ? [] : content.flatMap((part) => ("toolCallId" in part ? [part.toolCallId] : [])),
  );

test("text that says nothing is not sent", () => {
  const messages: Messages = [
    { role: "system", content: "" },
    { role: "user", content: "" },
    {
      role: "user",
      content: [
        { type: "text", text: "" },
        { type: "text", text: "hi" },
      ],
    },
    { role: "assistant", content: "\n\n" },
    { role: "user", content: [{ type: "text", text: " " }] },
  ];
  expect(toPrompt(messages, "anthropic", "x")).toEqual([{ role: "user", content: [{ type: "text", text: "hi" }] }]);
});

test("a tool that gave nothing says so", () => {
  const [, , result] = toPrompt([...said("a").slice(0, 2), { role: "tool", tool_call_id: "a", content: "" }], "k", "x");
  expect(result?.content).toMatchObject([{ output: { type: "text", value: "(empty)" } }]);
});

test.each(["anthropic", "amazonBedrock"])("ids that %s refuses are mapped, the same for call and result", (key) => {
  const [call, result, ...others] = idsOf(said("functions.f:0"), key);
  expect(call).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect([result, ...others]).toEqual([call]);
  expect(idsOf(said("functions.f:0"), key)).toEqual([call, call]);
  expect(idsOf(said("functions.f:1"), key)[0]).not.toBe(call);
  expect(idsOf(said("x".repeat(65)), key)[0]).toHaveLength(29);
  expect(idsOf(said("toolu_01-A"), key)).toEqual(["toolu_01-A", "toolu_01-A"]);
});

test("other wires hear the ids as they are", () => {
  expect(idsOf(said("functions.f:0"), "google")).toEqual(["functions.f:0", "functions.f:0"]);
});

test.each(["[1]", "null", '"x"', "{broken"])("arguments that are no object become an empty one: %s", (args) => {
  const [, call] = toPrompt(said("a", args), "google", "x");
  expect(call?.content).toMatchObject([{ input: {} }]);
  expect(call?.content).not.toMatchObject([{ input: [1] }]);
});

import { expect, test } from "vitest";
import { createCarryBuilder, withCarry } from "../../../src/models/ai-sdk/carry.ts";
import { toPrompt } from "../../../src/models/ai-sdk/to-prompt.ts";

const meta = (signature: string) => ({ anthropic: { signature } });
const providerOptions = meta;
const call = (id: string) => ({ type: "tool-call" as const, toolCallId: id, toolName: "f", input: {} });
const text = (said: string) => ({ type: "text" as const, text: said });

/** What comes back from a store. */
const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("thoughts, words and calls come back in their order, the words cut where they were", () => {
  const carry = createCarryBuilder("anthropic");
  carry.add("reasoning", "0", { text: "First" });
  carry.add("reasoning", "0", { text: "ly.", meta: meta("s1") });
  carry.add("text", "1", { text: "One." });
  carry.add("reasoning", "2", { meta: { anthropic: { redactedData: "r" } } });
  carry.add("text", "3", { text: "Two." });
  carry.addCall("a", undefined);
  carry.addCall("b", meta("s2"));
  expect(withCarry(stored(carry.build()), [text("One.Two."), call("a"), call("b")], "anthropic")).toEqual([
    { type: "reasoning", text: "Firstly.", providerOptions: providerOptions("s1") },
    text("One."),
    { type: "reasoning", text: "", providerOptions: { anthropic: { redactedData: "r" } } },
    text("Two."),
    call("a"),
    { ...call("b"), providerOptions: providerOptions("s2") },
  ]);
});

test("nothing is carried where nothing is signed, and no thought without a signature", () => {
  const unsigned = createCarryBuilder("anthropic");
  unsigned.add("reasoning", "0", { text: "Hm.", meta: { other: { signature: "x" } } });
  unsigned.addCall("a", undefined);
  expect(unsigned.build()).toBeUndefined();
  const signed = createCarryBuilder("google");
  signed.add("reasoning", "0", { text: "Hm." });
  signed.addCall("a", { google: { thoughtSignature: "x" } });
  expect(signed.build()).toEqual([{ type: "call", id: "a", meta: { thoughtSignature: "x" } }]);
});

test("words that are not the answer's own stay in one piece", () => {
  const carry = createCarryBuilder("anthropic");
  carry.add("text", "0", { text: "One." });
  carry.add("reasoning", "1", { text: "Hm.", meta: meta("s") });
  carry.add("text", "2", { text: "Two." });
  carry.addCall("a", undefined);
  const parts = withCarry(stored(carry.build()), [text("Something else"), call("a")], "anthropic");
  expect(parts.map(({ type }) => type)).toEqual(["text", "reasoning", "tool-call"]);
  expect(parts[0]).toEqual(text("Something else"));
});

test("only the calls of the message come back, and all of them", () => {
  const carry = createCarryBuilder("anthropic");
  carry.add("reasoning", "0", { text: "Hm.", meta: meta("s") });
  carry.addCall("a", undefined);
  carry.addCall("b", undefined);
  const parts = withCarry(stored(carry.build()), [call("b"), call("c")], "anthropic");
  expect(parts.slice(1)).toEqual([call("b"), call("c")]);
});

test("what another adapter carried is not looked at, and what nobody can read does no harm", () => {
  const message = {
    role: "assistant" as const,
    content: "I look.",
    reasoning_content: "Hm.",
    tool_calls: [{ id: "a", type: "function" as const, function: { name: "f", arguments: "{broken" } }],
  };
  const plain = [{ role: "assistant", content: [text("I look."), call("a")] }];
  const carried = (api: string, data: unknown) =>
    toPrompt([{ ...message, carry: { api, data } }], "anthropic", "anthropic-messages/anthropic");
  expect(carried("google-generative-ai/google", [{ type: "call", id: "a", meta: {} }])).toEqual(plain);
  expect(carried("anthropic-messages/anthropic", "garbage")).toEqual(plain);
  expect(toPrompt([message], "anthropic", "anthropic-messages/anthropic")).toEqual(plain);
});

import type { AssistantMessage } from "@openclaw/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelStep } from "../../src/agents/model-step.ts";
import type { AgentEvent } from "../../src/chat/run-event.ts";
import { toTalk } from "../../src/sessions/to-talk.ts";

const call = (id: string) => ({ id, type: "function" as const, function: { name: "f", arguments: "{}" } });
const asked = { message: { role: "user" as const, content: "hi" } };
const step = (content: string | null, id = "c") => ({
  message: { role: "assistant" as const, content, tool_calls: [call(id)] },
  hidden: true,
});
const result = (id = "c") => ({ message: { role: "tool" as const, tool_call_id: id, content: "r" }, hidden: true });
const answer = (content: string | null, more: Partial<AssistantMessage> = {}) => ({
  message: { role: "assistant" as const, content, ...more },
});

const contents = (...items: Parameters<typeof toTalk>[0]) => toTalk(items).map(({ content }) => content);

test("without steps a talk is as it was sent", () => {
  expect(contents(asked, answer(" a "))).toEqual(["hi", " a "]);
});

test("what the steps said is not said again", () => {
  expect(contents(asked, step("One."), result(), answer("One.\n\nTwo."))).toEqual(["hi", "One.", "r", "Two."]);
  expect(contents(step("One."), result(), step("Two."), result(), answer("One.\n\nTwo.\n\nThree."))).toEqual([
    "One.",
    "r",
    "Two.",
    "r",
    "Three.",
  ]);
});

test("words of steps that callers were not told are heard, and the answer as it was sent", () => {
  expect(contents(step("Hm."), result(), answer("Other."))).toEqual(["Hm.", "r", "Other."]);
});

test("an answer that was cut short within what the steps said adds nothing to them", () => {
  const cut = (text: string) => ({ ...answer(text), aborted: true });
  expect(contents(step("One."), result(), cut("On"))).toEqual(["One.", "r"]);
  expect(contents(step("One."), result(), step("Two."), result(), cut("One.\n\nT"))).toHaveLength(4);
  // What was not cut short means what it says.
  expect(contents(step("42 is it."), result(), answer("42"))).toEqual(["42 is it.", "r", "42"]);
});

test("steps without words change nothing of the answer", () => {
  expect(contents(step(null), result(), answer(" Two. "))).toEqual([null, "r", " Two. "]);
});

test("an answer without a word of its own ends with the steps, unless it calls the client's tools", () => {
  expect(contents(step("One."), result(), answer("One."))).toEqual(["One.", "r"]);
  expect(contents(step(null), result(), answer(""))).toEqual([null, "r"]);
  expect(contents(step("One."), result(), answer("One.", { tool_calls: [call("theirs")] }))).toEqual([
    "One.",
    "r",
    null,
  ]);
});

test("what is given is a copy", () => {
  const items = [step("One."), result(), answer("One.\n\nTwo.")];
  const before = structuredClone(items);
  for (const message of toTalk(items)) Object.assign(message, { content: "changed", tool_calls: [] });
  expect(items).toEqual(before);
});

// Texts as models write them: with line ends at either side, of blanks only, empty.
const text = fc.stringMatching(/^[\n ]{0,3}[ab.\n ]{0,6}$/);

test("whatever the steps said, callers' text is split back into it", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), text, (before, last) => {
      const steps = { lastWords: "", ids: new Set<string>() };
      let told = "";
      const say = (words: string, ownCall: boolean) => {
        const model = new ModelStep(steps, () => true);
        const events: AgentEvent[] = [{ type: "text-delta", text: words }];
        if (ownCall) events.push({ type: "tool-call-start", index: 0, id: "c", name: "f" });
        for (const event of model.take(events)) if (event.type === "text-delta") told += event.text;
        return model;
      };
      const hidden = before.map((words) => ({ message: say(words, true).toMessage(), hidden: true }));
      say(last, false);
      const talk = toTalk([...hidden, answer(told)]);
      const words = talk.map(({ content }) => String(content ?? "").trim()).filter(Boolean);
      expect(words).toEqual([...before, last].map((said) => said.trim()).filter(Boolean));
      // A client that trims, or writes its answers in parts, makes no difference.
      const trimmed = toTalk([
        ...hidden,
        { message: { role: "assistant", content: [{ type: "text", text: told.trim() }] } },
      ]);
      expect(trimmed.map(({ content }) => (typeof content === "string" ? content.trim() : "")).filter(Boolean)).toEqual(
        hidden.some(({ message }) => message.content) ? words : [],
      );
    }),
  );
});

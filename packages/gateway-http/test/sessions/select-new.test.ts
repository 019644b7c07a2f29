import { expect, test } from "vitest";
import { selectNew, withoutUnanswered } from "../../src/sessions/select-new.ts";

/** `"u1 a1 u2"` as messages. */
const talk = (text: string) =>
  text.split(" ").map((name) => ({ name, role: { u: "user", a: "assistant", t: "tool" }[name.charAt(0)] as string }));

const fresh = (sent: string, sessionIsEmpty: boolean) =>
  selectNew(talk(sent), sessionIsEmpty)
    .map(({ name }) => name)
    .join(" ");

for (const [sent, expected] of [
  ["u1", "u1"],
  ["u1 u2", "u1 u2"],
  ["u1 a1 u2", "u2"],
  ["u1 a1 u2 u3", "u2 u3"],
  ["u1 a1 t1", "t1"],
  ["u1 a1 u2 a2 u3", "u3"],
  // Open WebUI's "continue": the answer so far is all there is to say.
  ["u1 a1", "a1"],
]) {
  test(`of ${sent} a session has everything but ${expected}`, () => {
    expect(fresh(sent as string, false)).toBe(expected);
  });

  test(`of ${sent} an empty session has nothing`, () => {
    expect(fresh(sent as string, true)).toBe(sent);
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

import { expect, test } from "vitest";
import { selectNew } from "../../src/sessions/select-new.ts";

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

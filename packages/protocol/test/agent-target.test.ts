import fc from "fast-check";
import { expect, test } from "vitest";
import { AGENT_ID_PATTERN, isAgentId, parseAgentTarget } from "../src/index.ts";

const agentId = fc.stringMatching(AGENT_ID_PATTERN).filter((id) => id !== "default");

test.each([undefined, null, "", " \t", "openclaw", "OpenClaw", " openclaw ", "openclaw/default", "openclaw:default"])(
  "%j asks for the default agent",
  (model) => expect(parseAgentTarget(model)).toEqual({ kind: "default" }),
);

test.each(["agent:default", "agent:DEFAULT", "OPENCLAW/Default"])("%j asks for the default agent, too", (model) => {
  expect(parseAgentTarget(model)).toEqual({ kind: "default" });
});

test.each(["openclaw:beta", "openclaw/beta", "agent:beta", "  Agent:BETA  ", "OPENCLAW/Beta"])(
  "%j asks for the agent beta",
  (model) => expect(parseAgentTarget(model)).toEqual({ kind: "agent", id: "beta" }),
);

test.each([
  ["gpt-4o", "gpt-4o"],
  [" GPT-4o ", "gpt-4o"],
  ["agent/beta", "agent/beta"],
  ["openclaw:", "openclaw:"],
  ["openclaw: beta", "openclaw: beta"],
  ["openclaw:-x", "openclaw:-x"],
  ["openclaw:a/b", "openclaw:a/b"],
  ["openclaw:beta\nx", "openclaw:beta\nx"],
  ["openclaw-beta", "openclaw-beta"],
  ["__proto__", "__proto__"],
  [`openclaw:${"a".repeat(65)}`, `openclaw:${"a".repeat(65)}`],
])("%j is none of our names", (model, name) => {
  expect(parseAgentTarget(model)).toEqual({ kind: "other", name });
});

test("an id has at most 64 characters, starts with a letter or digit and is not `default`", () => {
  expect(isAgentId("a".repeat(64))).toBe(true);
  expect(isAgentId("0_-")).toBe(true);
  for (const id of ["", "_a", "-a", "a".repeat(65), "A", "a.b", "a\n", "default"]) expect(isAgentId(id)).toBe(false);
});

test("every agent can be named in three ways, in any case, with blanks around", () => {
  fc.assert(
    fc.property(agentId, fc.constantFrom("openclaw:", "openclaw/", "agent:"), (id, prefix) => {
      const target = { kind: "agent", id };
      expect(parseAgentTarget(prefix + id)).toEqual(target);
      expect(parseAgentTarget(` ${(prefix + id).toUpperCase()}\n`)).toEqual(target);
    }),
  );
});

test("no text makes it throw, and reading the name it gave once more changes nothing", () => {
  const near = fc
    .tuple(fc.constantFrom("", "openclaw", "openclaw:", "openclaw/", "agent:", "AGENT:"), fc.string({ unit: "binary" }))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(near, (model) => {
      const target = parseAgentTarget(model);
      if (target.kind === "agent") expect(isAgentId(target.id)).toBe(true);
      const name = target.kind === "other" ? target.name : target.kind === "agent" ? `openclaw:${target.id}` : "";
      expect(parseAgentTarget(name)).toEqual(target);
      expect(parseAgentTarget(name.trim().toLowerCase())).toEqual(target);
    }),
    { numRuns: 300 },
  );
});

test("ASCII case never matters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii" }), (model) => {
      expect(parseAgentTarget(model.toUpperCase())).toEqual(parseAgentTarget(model.toLowerCase()));
    }),
  );
});

import { expect, test } from "vitest";
import { createAgentRegistry } from "../../src/agents/registry.ts";
import { type AgentQuery, resolveAgent } from "../../src/agents/resolve-agent.ts";
import { defineAgent } from "../../src/index.ts";

const run = async function* () {};
const agents = createAgentRegistry([
  defineAgent({ id: "main", run }),
  defineAgent({ id: "beta", aliases: ["gpt-4o", "acme/large"], run }),
  defineAgent({ id: "fallback", default: true, run }),
]);

const HEADER = "x-openclaw-agent-id";
const query = (model?: string | null, header?: string, sessionAgentId?: string): AgentQuery => ({
  model,
  header: header === undefined ? undefined : { name: HEADER, value: header },
  sessionAgentId,
});

type Row = [model: string | null | undefined, header: string | undefined, session: string | undefined, agent: string];

const ROWS: Row[] = [
  // Names of the default
  [undefined, undefined, undefined, "fallback"],
  [null, undefined, undefined, "fallback"],
  ["", undefined, undefined, "fallback"],
  ["  ", undefined, undefined, "fallback"],
  ["openclaw", undefined, undefined, "fallback"],
  ["openclaw/default", undefined, undefined, "fallback"],
  ["openclaw:default", undefined, undefined, "fallback"],
  ["agent:default", undefined, undefined, "fallback"],
  ["OpenClaw:Default", undefined, undefined, "fallback"],
  // They leave the choice to the session key
  [undefined, undefined, "beta", "beta"],
  ["openclaw", undefined, "beta", "beta"],
  ["openclaw", "default", "beta", "beta"],
  // Named
  ["openclaw:beta", undefined, undefined, "beta"],
  ["openclaw/beta", undefined, undefined, "beta"],
  ["agent:beta", undefined, undefined, "beta"],
  ["  AGENT:Beta ", undefined, undefined, "beta"],
  ["openclaw:main", undefined, undefined, "main"],
  // Aliases
  ["gpt-4o", undefined, undefined, "beta"],
  ["GPT-4o", undefined, undefined, "beta"],
  ["acme/large", undefined, undefined, "beta"],
  // A header beats model
  ["openclaw:main", "beta", undefined, "beta"],
  ["some-foreign-model", "beta", undefined, "beta"],
  ["some-foreign-model", " Beta ", undefined, "beta"],
  ["some-foreign-model", "openclaw:beta", undefined, "beta"],
  ["some-foreign-model", "gpt-4o", undefined, "beta"],
  ["some-foreign-model", "default", undefined, "fallback"],
  ["openclaw:beta", "openclaw", undefined, "fallback"],
  // A session key of the named agent
  ["openclaw:beta", undefined, "beta", "beta"],
  [undefined, "beta", "beta", "beta"],
];

for (const [model, header, session, agent] of ROWS) {
  test(`model ${model}, header ${header}, session of ${session}: ${agent}`, () => {
    expect(resolveAgent(agents, query(model, header, session)).id).toBe(agent);
  });
}

const UNKNOWN: [...Parameters<typeof query>, param: string][] = [
  ["gpt-3", undefined, undefined, "model"],
  ["openclaw:nobody", undefined, undefined, "model"],
  ["openclaw:", undefined, undefined, "model"],
  ["openclaw:a b", undefined, undefined, "model"],
  ["beta", undefined, undefined, "model"],
  ["openclaw:beta:x", undefined, undefined, "model"],
  ["__proto__", undefined, undefined, "model"],
  ["openclaw:beta", "nobody", undefined, HEADER],
  ["openclaw", undefined, "nobody", "x-openclaw-session-key"],
];

for (const [model, header, session, param] of UNKNOWN) {
  test(`unknown: model ${model}, header ${header}, session of ${session}`, () => {
    expect(() => resolveAgent(agents, query(model, header, session))).toThrow(
      expect.objectContaining({ code: "model_not_found", status: 404, param }),
    );
  });
}

for (const [model, header] of [
  ["openclaw:main", undefined],
  ["gpt-4o", undefined],
  [undefined, "main"],
  ["openclaw:beta", "main"],
]) {
  test(`model ${model}, header ${header} against a session of another agent`, () => {
    expect(() => resolveAgent(agents, query(model, header, "fallback"))).toThrow(
      expect.objectContaining({ code: "invalid_session_key", status: 400, param: "x-openclaw-session-key" }),
    );
  });
}

test("what was asked for is repeated shortened and quoted", () => {
  const name = `x"${"y".repeat(5000)}`;
  expect(() => resolveAgent(agents, query(name))).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{0,250}$/) }),
  );
});

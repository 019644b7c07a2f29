import { expect, test } from "vitest";
import { createAgentRegistry } from "../../src/agents/registry.ts";
import { defineAgent } from "../../src/index.ts";

const agent = (id: string, more: { aliases?: string[]; default?: boolean } = {}) =>
  defineAgent({ id, ...more, run: async function* () {} });

test("agents are found by id and by alias", () => {
  const beta = agent("beta", { aliases: ["gpt-4o", " GPT-5 "] });
  const agents = createAgentRegistry([agent("main"), beta]);
  expect(agents.byId("beta")).toBe(beta);
  expect(agents.byAlias("gpt-4o")).toBe(beta);
  expect(agents.byAlias("gpt-5")).toBe(beta);
  expect(agents.byId("gpt-4o")).toBeUndefined();
  expect(agents.byAlias("beta")).toBeUndefined();
  expect(agents.byId("__proto__")).toBeUndefined();
});

test("the default is the one marked, else main, else the first", () => {
  const fallback = (...agents: ReturnType<typeof agent>[]) => createAgentRegistry(agents).default.id;
  expect(fallback(agent("a"), agent("main"), agent("b", { default: true }))).toBe("b");
  expect(fallback(agent("a"), agent("main"))).toBe("main");
  expect(fallback(agent("a"), agent("b"))).toBe("a");
});

const REFUSED: [string, ReturnType<typeof agent>[]][] = [
  ["no agent at all", []],
  ["two agents of one id", [agent("a"), agent("A")]],
  ["two defaults", [agent("a", { default: true }), agent("b", { default: true })]],
  ["an alias of two agents", [agent("a", { aliases: ["x"] }), agent("b", { aliases: ["X"] })]],
  ["an alias that names an agent", [agent("a", { aliases: ["openclaw/b"] })]],
  ["an alias that names the default", [agent("a", { aliases: ["openclaw"] })]],
];
for (const [title, agents] of REFUSED) {
  test(`refused: ${title}`, () => {
    expect(() => createAgentRegistry(agents)).toThrow(expect.objectContaining({ name: "ConfigError" }));
  });
}

test("an alias may be given twice to one agent", () => {
  expect(createAgentRegistry([agent("a", { aliases: ["x", "X"] })]).byAlias("x")?.id).toBe("a");
});

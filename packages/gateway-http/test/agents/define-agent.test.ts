import { expect, test } from "vitest";
import { type AgentTurn, defineAgent } from "../../src/index.ts";

const run = async function* () {};

test("an agent needs an id and a function", () => {
  expect(defineAgent({ id: "Echo", run })).toMatchObject({
    id: "echo",
    aliases: [],
    default: false,
    timeoutMs: 600_000,
    exposeReasoning: false,
  });
});

for (const id of ["a", "0", "a_b-c", "x".repeat(64), "MAIN"]) {
  test(`${id.slice(0, 20)} can be an id`, () => {
    expect(defineAgent({ id, run }).id).toBe(id.toLowerCase());
  });
}

for (const id of ["", " ", "a b", "-a", "_a", "a:b", "a/b", "ä", "default", "Default", "x".repeat(65), "a\n"]) {
  test(`${JSON.stringify(id.slice(0, 20))} cannot`, () => {
    expect(() => defineAgent({ id, run })).toThrow(expect.objectContaining({ name: "ConfigError" }));
  });
}

for (const timeoutSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31 / 1000]) {
  test(`a run cannot take ${timeoutSeconds} s: no timer waits like that`, () => {
    expect(() => defineAgent({ id: "a", timeoutSeconds, run })).toThrow(
      expect.objectContaining({ name: "ConfigError" }),
    );
  });
}

test("run is called on the definition", async () => {
  const definition = {
    id: "a",
    word: "hi",
    async *run() {
      yield this.word;
    },
  };
  const { run: made } = defineAgent(definition);
  const said = made({} as AgentTurn, { signal: new AbortController().signal });
  expect(await said[Symbol.asyncIterator]().next()).toEqual({ value: "hi", done: false });
});

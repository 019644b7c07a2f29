import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { checkModels } from "../../src/models/resolve-provider.ts";
import { createAdmission } from "../../src/runs/admission.ts";
import type { RunSummary } from "../../src/runs/run-summary.ts";
import { createRuns } from "../../src/runs/runs.ts";
import { createWaitingSteps } from "../../src/runs/waiting-steps.ts";
import { createLanes } from "../../src/sessions/lane.ts";
import { createMemoryStore } from "../../src/sessions/memory-store.ts";
import { sayer } from "../support/agents.ts";

const agents = (list: object[], defaults = {}) => parseConfig({ agents: { defaults, list } } as never).config.agents;
const chain = (...fallbacks: string[]) => ({ primary: "a/x", fallbacks });

test("an agent has its own model and fallbacks, or the defaults' as they are", () => {
  const { defaults, list } = agents(
    [{ id: "one" }, { id: "two", model: "c/x" }, { id: "three", model: chain("d/x") }],
    {
      model: chain("b/x"),
    },
  );
  expect([defaults, ...list].map(({ model, fallbacks }) => [model, fallbacks])).toEqual([
    ["a/x", ["b/x"]],
    ["a/x", ["b/x"]],
    ["c/x", []],
    ["a/x", ["d/x"]],
  ]);
  expect(agents([]).defaults).toMatchObject({ model: "demo", fallbacks: [] });
});

test.each([
  [chain("b/x", "b/x"), 'agents.list[0].model.fallbacks[1]: "b/x" is in the chain already'],
  [chain("a/x"), 'agents.list[0].model.fallbacks[0]: "a/x" is in the chain already'],
  [chain("nonsense"), /^agents\.list\[0\]\.model\.fallbacks\[0\]: must be "provider\/model"/],
  [chain(..."bcdefghij".split("").map((id) => `${id}/x`)), "agents.list[0].model.fallbacks: must be at most 8"],
])("%j is refused", (model, message) => {
  expect(() => agents([{ id: "main", model }])).toThrow(message);
});

test("every model of a chain is resolved at start, and the error says where it stands", () => {
  const { config } = parseConfig({
    models: { providers: { a: { baseUrl: "http://127.0.0.1:1/v1" } } },
    agents: { list: [{ id: "main", model: chain("nobody/x") }] },
  });
  expect(() => checkModels(config, {})).toThrow(/^agent main: fallbacks\[0\]: model "nobody\/x": unknown provider/);
});

test("the log's line of a run has the model that answered, and whether it was a fallback", async () => {
  const lines: RunSummary[] = [];
  const store = createMemoryStore({ maxEntries: 10, pruneAfterMs: 1000 });
  const lanes = createLanes(() => ({ concurrency: "queue", maxQueued: 1 }));
  const admission = createAdmission(() => parseConfig({}).config.gateway.limits);
  const context = { store, lanes, admission, waitingSteps: createWaitingSteps(1000) };
  const runs = createRuns(context, (line) => lines.push(line));
  const run = (...said: unknown[]) =>
    runs.start({
      agent: sayer(...said),
      turn: { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: true },
      session: { owner: "o", key: "agent:main:x", stateless: true },
    }).result;
  await run([
    { type: "model", model: "a/x" },
    { type: "text-delta", text: "x" },
  ]);
  await run([{ type: "model", model: "a/x" }], [{ type: "model", model: "b/x", fallback: true }], "x");
  await run("x");
  expect(lines.map(({ model, fallback }) => [model, fallback])).toEqual([
    ["a/x", undefined],
    ["b/x", true],
    [undefined, undefined],
  ]);
});

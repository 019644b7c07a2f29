import { expect, test } from "vitest";
import { createAgentRegistry } from "../../src/agents/registry.ts";
import { OPERATOR } from "../../src/auth/caller.ts";
import { defineAgent } from "../../src/index.ts";
import type { Run } from "../../src/runs/run.ts";
import type { TranscriptMeta } from "../../src/sessions/transcript.ts";
import { Transcript } from "../../src/sessions/transcript.ts";
import { agentIdOf, defaultsOf, sessionIdOf, tokensOf, toSessionRow } from "../../src/ws/rows.ts";

const agent = (id: string, more: object = {}) => ({ ...defineAgent({ id, async *run() {} }), ...more });
const agents = createAgentRegistry([
  agent("main", { model: "openai/gpt-5", contextWindow: 400_000 }),
  agent("code"),
  agent("demo", { model: "demo" }),
]);
const idle = { agents, runs: { inSession: function* () {} } };
const ref = (key: string, owner = "operator") => ({ owner, key });
const meta = (more: Partial<TranscriptMeta> = {}): TranscriptMeta => ({
  agent: "main",
  title: null,
  settings: {},
  createdAt: 1,
  updatedAt: 2,
  ...more,
});

test("a session that is not there has a key and an agent, and what it would be", () => {
  expect(toSessionRow(ref("agent:main:x"), undefined, "main", idle)).toEqual({
    key: "agent:main:x",
    kind: "direct",
    agentId: "main",
    isMain: false,
    updatedAt: null,
    modelProvider: "openai",
    model: "gpt-5",
    contextTokens: 400_000,
    hasActiveRun: false,
    activeRunIds: [],
  });
});

test("a session is told as it was set", () => {
  const session = ref("agent:main:main");
  const settings = { model: "openrouter/a/b", thinking: "low" };
  expect(toSessionRow(session, meta({ title: "Trip", settings }), "code", idle)).toEqual({
    key: "agent:main:main",
    kind: "direct",
    agentId: "main",
    isMain: true,
    sessionId: sessionIdOf(session),
    createdAt: 1,
    updatedAt: 2,
    label: "Trip",
    displayName: "Trip",
    // How much another model takes in is not known.
    modelProvider: "openrouter",
    model: "a/b",
    thinkingLevel: "low",
    hasActiveRun: false,
    activeRunIds: [],
  });
});

test("of a model that is not known, or has no provider, nothing is made up", () => {
  const rowOf = (agentId: string) => toSessionRow(ref(`agent:${agentId}:x`), meta({ agent: agentId }), agentId, idle);
  expect(rowOf("code")).not.toHaveProperty("model");
  expect(rowOf("gone")).not.toHaveProperty("model");
  expect(rowOf("demo")).toMatchObject({ model: "demo" });
  expect(rowOf("demo")).not.toHaveProperty("modelProvider");
  expect(defaultsOf(OPERATOR, agents)).toEqual({ modelProvider: "openai", model: "gpt-5", contextTokens: 400_000 });
  const unknown = createAgentRegistry([agent("code")]);
  expect(defaultsOf(OPERATOR, unknown)).toEqual({ modelProvider: null, model: null, contextTokens: null });
});

test("runs are told in the order in which they came, and none that has ended", () => {
  function* inSession() {
    for (const [id, ended] of [
      ["first", true],
      ["second", false],
      ["third", false],
    ])
      yield { id, ended } as Run;
  }
  const row = toSessionRow(ref("global"), meta(), "main", { agents, runs: { inSession } });
  expect(row).toMatchObject({ kind: "global", hasActiveRun: true, activeRunIds: ["second", "third"] });
});

test("an id is that of one session: its owner's and its key's", () => {
  const id = sessionIdOf(ref("agent:main:main"));
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(sessionIdOf({ ...ref("agent:main:main"), more: true } as never)).toBe(id);
  const others = [ref("agent:main:Main"), ref("agent:main:main", "local"), ref("main", "operatoragent:main:")];
  expect(new Set([id, ...others.map(sessionIdOf)]).size).toBe(4);
});

test("a key says whose it is, or it is the default agent's", () => {
  expect(["agent:code:x", "agent:code:a:b", "global", "agent:x"].map((key) => agentIdOf(key, agents))).toEqual([
    "code",
    "code",
    "main",
    "main",
  ]);
});

test("the tokens are those of the last call, and old ones are told as such", () => {
  const transcript = new Transcript(meta());
  const add = (id: string, parent: string | null, more: object = {}) =>
    transcript.add({
      entries: [{ id, parent, message: { role: "assistant", content: id }, runId: "r", at: 1, ...more }],
      head: id,
    });
  add("1", null);
  expect(tokensOf(transcript)).toEqual({});
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  add("2", "1", { usage: { ...usage, openclaw: { calls: 2, last: { prompt_tokens: 5, completion_tokens: 2 } } } });
  const tokens = { inputTokens: 5, outputTokens: 2, totalTokens: 7 };
  expect(tokensOf(transcript)).toEqual({ ...tokens, totalTokensFresh: true });
  add("3", "2");
  expect(tokensOf(transcript)).toEqual({ ...tokens, totalTokensFresh: false });
});

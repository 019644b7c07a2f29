import { expect, test } from "vitest";
import { allowTools } from "../../src/tools/policy.ts";
import type { Tool, ToolSource } from "../../src/tools/tool.ts";

const toTool = (name: string): Tool => ({
  name,
  parameters: { type: "object" },
  run: async () => ({ text: "", ok: true }),
});

const NAMES = ["files__read", "files__write", "git__log", "git__push", "now"];
const source: ToolSource = { ready: async () => {}, list: () => NAMES.map(toTool) };

test.each([
  [{}, NAMES],
  [{ allow: [] }, []],
  [{ allow: ["*"] }, NAMES],
  [{ allow: ["files__*"] }, ["files__read", "files__write"]],
  [{ allow: ["files__*", "now"] }, ["files__read", "files__write", "now"]],
  [{ allow: ["*__{read,log}"] }, ["files__read", "git__log"]],
  [{ allow: ["files__rea?"] }, ["files__read"]],
  [{ allow: ["[fg]i*"] }, ["files__read", "files__write", "git__log", "git__push"]],
  [{ allow: ["files"] }, []],
  [{ allow: ["FILES__*"] }, []],
  [{ deny: [] }, NAMES],
  [{ deny: ["*"] }, []],
  [{ deny: ["*__write", "git__push"] }, ["files__read", "git__log", "now"]],
  [{ allow: ["files__*"], deny: ["*__write"] }, ["files__read"]],
  [{ allow: ["files__write"], deny: ["files__*"] }, []],
  [{ allow: [], deny: [] }, []],
  // Not "all but this", which a list of globs of which one has to fit cannot mean.
  [{ allow: ["!git__push"] }, []],
  [{ deny: ["!now"] }, NAMES],
])("a policy of %j lets through %j", (policy, names) => {
  expect(
    allowTools(source, policy)
      .list()
      .map(({ name }) => name),
  ).toEqual(names);
});

test("a policy holds for tools that come later, and waits as long as what it stands before", async () => {
  const tools: Tool[] = [];
  let isReady = false;
  const growing: ToolSource = {
    async ready() {
      isReady = true;
    },
    list: () => tools,
  };
  const allowed = allowTools(growing, { deny: ["git__*"] });
  expect(allowed.list()).toEqual([]);
  tools.push(toTool("git__push"), toTool("git"));
  expect(allowed.list().map(({ name }) => name)).toEqual(["git"]);
  await allowed.ready();
  expect(isReady).toBe(true);
});

test("who may use no tool waits for none", async () => {
  const source: ToolSource = { ready: () => new Promise(() => {}), list: () => [toTool("files__read")] };
  const none = allowTools(source, { allow: [] });
  await none.ready();
  expect(none.list()).toEqual([]);
});

test("of more tools than providers take the first are there, and the source is told", () => {
  const told: number[] = [];
  const list = () => Array.from({ length: 200 }, (_, at) => toTool(`a__${1000 + at}`));
  const source = { ready: async () => {}, list, onTooMany: (allowed: number) => told.push(allowed) };
  expect(allowTools(source, {}).list()).toEqual(
    list()
      .slice(0, 128)
      .map(() => expect.anything()),
  );
  expect(allowTools(source, {}).list().at(-1)?.name).toBe("a__1127");
  expect(told).toEqual([200, 200]);
  expect(allowTools(source, { deny: ["a__11*"] }).list()).toHaveLength(100);
  expect(told).toHaveLength(2);
});

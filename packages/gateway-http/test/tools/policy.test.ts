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

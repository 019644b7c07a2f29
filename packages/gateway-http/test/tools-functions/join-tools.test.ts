import { expect, test } from "vitest";
import { joinTools } from "../../src/tools/join-tools.ts";
import type { Tool, ToolSource } from "../../src/tools/tool.ts";

const toolOf = (name: string, description: string): Tool => ({
  name,
  description,
  parameters: { type: "object" },
  run: async () => ({ ok: true, text: "" }),
});

const sourceOf = (list: readonly Tool[], ready: () => Promise<void> = async () => {}): ToolSource => ({
  ready,
  list: () => list,
});

test("tools of several sources are one list in the order of their names; of a name twice the first source's counts", () => {
  const joined = joinTools(
    sourceOf([toolOf("c", "1"), toolOf("a", "1")]),
    sourceOf([toolOf("b", "2"), toolOf("a", "2")]),
  );
  expect(joined.list().map(({ name, description }) => name + description)).toEqual(["a1", "b2", "c1"]);
});

test("the list is that of now", () => {
  const tools: Tool[] = [];
  const joined = joinTools(sourceOf(tools));
  expect(joined.list()).toEqual([]);
  tools.push(toolOf("late", ""));
  expect(joined.list()).toHaveLength(1);
});

test("all are ready when the last one is", async () => {
  const last = Promise.withResolvers<void>();
  let isReady = false;
  const ready = joinTools(
    sourceOf([]),
    sourceOf([], () => last.promise),
  )
    .ready()
    .then(() => {
      isReady = true;
    });
  await Promise.resolve();
  expect(isReady).toBe(false);
  last.resolve();
  await ready;
  expect(isReady).toBe(true);
});

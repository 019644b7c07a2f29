import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { published, startTools } from "./start-tools.ts";

vi.setConfig({ testTimeout: 40_000 });

async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "mcp-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("server-everything over stdio lists its tools, and each kind of content is read", async () => {
  const { tools, lines, names, have, call } = startTools({
    all: { command: process.execPath, args: [published("everything")] },
  });
  expect(tools.settled).toBe(false);
  await tools.ready();
  expect(tools.settled).toBe(true);
  await have("all__echo");
  expect(names()).toEqual(names().toSorted());
  expect(await call("all__echo", { message: "hello" })).toEqual({ ok: true, text: "Echo: hello" });
  expect(await call("all__get-sum", { a: 1, b: 2 })).toEqual({ ok: true, text: expect.stringContaining("3") });
  const image = await call("all__get-tiny-image");
  expect(image.text).toMatch(/\[image image\/png, \d+ bytes\]/);
  expect(image.text.length).toBeLessThan(500);
  expect((await call("all__get-resource-links", { count: 1 })).text).toMatch(/\[resource \S+: .+\]/);
  const reference = await call("all__get-resource-reference", { resourceType: "Text", resourceId: 1 });
  expect(reference.text).toContain("Resource 1");
  expect((await call("all__get-structured-content", { location: "Chicago" })).text).toContain("temperature");
  const wrong = await call("all__echo", { message: 3 });
  expect(wrong).toMatchObject({ ok: false, text: expect.stringContaining("message") });
  expect(lines).toEqual([]);
});

test("a tool's parameters are the server's schema without its dialect", async () => {
  const { tools, have } = startTools({ all: { command: process.execPath, args: [published("everything")] } });
  await have("all__echo");
  const echo = tools.list().find(({ name }) => name === "all__echo");
  expect(echo?.parameters).toMatchObject({ type: "object", properties: { message: { type: "string" } } });
  expect(echo?.parameters).not.toHaveProperty("$schema");
  expect(echo?.description).not.toBe("");
});

test("a call that tells of its progress is waited for, and one whose run is stopped rejects with the reason", async () => {
  const { call } = startTools({ all: { command: process.execPath, args: [published("everything")] } });
  expect(await call("all__trigger-long-running-operation", { duration: 0.2, steps: 2 })).toMatchObject({ ok: true });
  const stop = new AbortController();
  const stopped = call("all__trigger-long-running-operation", { duration: 60, steps: 2 }, stop.signal);
  stopped.catch(() => {});
  await new Promise(setImmediate);
  stop.abort(new Error("stopped"));
  await expect(stopped).rejects.toThrow("stopped");
  await expect(call("all__echo", { message: "x" }, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  expect(await call("all__echo", { message: "after" })).toMatchObject({ ok: true });
});

test("server-filesystem writes into its folder and nowhere else", async () => {
  const folder = await temporaryFolder();
  const { call } = startTools({
    files: { command: process.execPath, args: [published("filesystem"), folder] },
  });
  const path = join(folder, "note.txt");
  expect(await call("files__write_file", { path, content: "dear diary" })).toMatchObject({ ok: true });
  expect(await readFile(path, "utf8")).toBe("dear diary");
  expect(await call("files__read_text_file", { path })).toEqual({ ok: true, text: "dear diary" });
  expect(await call("files__read_text_file", { path: "/etc/passwd" })).toMatchObject({
    ok: false,
    text: expect.stringMatching(/denied|outside/i),
  });
});

test("server-memory remembers, in the file that its environment names", async () => {
  const folder = await temporaryFolder();
  const { call } = startTools({
    memory: {
      command: process.execPath,
      args: [published("memory")],
      env: { MEMORY_FILE_PATH: join(folder, "memory.jsonl") },
    },
  });
  const entities = [{ name: "Ada", entityType: "person", observations: ["counts"] }];
  expect(await call("memory__create_entities", { entities })).toMatchObject({ ok: true });
  expect((await call("memory__search_nodes", { query: "Ada" })).text).toContain("counts");
  expect(await readFile(join(folder, "memory.jsonl"), "utf8")).toContain("Ada");
});

test("several servers are there together, sorted by the names of their tools", async () => {
  const folder = await temporaryFolder();
  const { tools, names, have } = startTools({
    zoo: { command: process.execPath, args: [published("everything")] },
    files: { command: process.execPath, args: [published("filesystem"), folder] },
  });
  await have("files__write_file", "zoo__echo");
  expect(names()).toEqual(names().toSorted());
  expect(names()[0]).toMatch(/^files__/);
  expect(names().at(-1)).toMatch(/^zoo__/);
  expect(tools.list()).toBe(tools.list());
});

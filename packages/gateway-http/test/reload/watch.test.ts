import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { readEnvironment } from "../../src/config/env.ts";
import { createGateway, type LoadedConfig, loadConfig } from "../../src/index.ts";
import { sayer } from "../support/agents.ts";
import { configOf } from "./reloadable.ts";

const SOON = { timeout: 20_000 };

async function startWatching(prepare?: (loaded: LoadedConfig) => LoadedConfig) {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-test-"));
  const path = join(folder, "openclaw.json");
  const put = async (...ids: string[]) => {
    const list = ids.map((id) => ({ id, model: "demo" }));
    await writeFile(`${path}.new`, JSON.stringify(configOf({ agents: { list } })));
    await rename(`${path}.new`, path);
  };
  await put("a");
  const loaded = await loadConfig({ env: readEnvironment({ HOME: folder, OPENCLAW_STATE_DIR: folder }) });
  const gateway = createGateway({ config: loaded, agents: [sayer("x")] });
  onTestFinished(async () => {
    await gateway.close({ drainTimeoutMs: 0 });
    await rm(folder, { recursive: true });
  });
  gateway.watch(loaded, prepare);
  return { gateway, put, loaded, ids: () => gateway.agents.map(({ id }) => id) };
}

test("an embedder's gateway follows its file, with its own agents and what it puts over the file", async () => {
  const { put, ids } = await startWatching((loaded) => {
    const list = loaded.config.agents.list.filter(({ id }) => id !== "unwanted");
    return { ...loaded, config: { ...loaded.config, agents: { ...loaded.config.agents, list } } };
  });
  expect(ids()).toEqual(["main", "a"]);
  await put("unwanted", "b");
  await vi.waitFor(() => expect(ids()).toEqual(["main", "b"]), SOON);
});

test("a config that cannot be put over the file is one that cannot work", async () => {
  const { put, ids } = await startWatching((loaded) => {
    if (loaded.config.agents.list.some(({ id }) => id === "bad")) throw new Error("no");
    return loaded;
  });
  await put("bad");
  await put("main");
  await put("c");
  await vi.waitFor(() => expect(ids()).toEqual(["main", "c"]), SOON);
});

test("a gateway that closes follows nothing", async () => {
  const [closed, other] = [await startWatching(), await startWatching()];
  await closed.gateway.close();
  closed.gateway.watch(closed.loaded);
  await closed.put("b");
  // As long as another gateway takes to see its own.
  await other.put("b");
  await vi.waitFor(() => expect(other.ids()).toEqual(["main", "b"]), SOON);
  expect(closed.ids()).toEqual(["main", "a"]);
});

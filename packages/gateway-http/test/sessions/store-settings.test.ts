import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { createMemoryStore, type StoreLimits } from "../../src/sessions/memory-store.ts";
import { Connection } from "../../src/sessions/sqlite/connection.ts";
import { createSqliteStore } from "../../src/sessions/sqlite/sqlite-store.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
import { entry, keep, ref, texts } from "./store-contract.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-settings-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function openSqlite(folder: string, more: Partial<StoreLimits & { maxCached: number }> = {}): SessionStore {
  const connection = new Connection({ folder, sync: "normal", lockTimeoutMs: 0 });
  const store = createSqliteStore(connection, { maxEntries: 100, pruneAfterMs: 1e15, ...more });
  onTestFinished(() => store.close());
  return store;
}

const STORES: Record<string, (limits: StoreLimits) => Promise<SessionStore>> = {
  memory: async (limits) => createMemoryStore(limits),
  sqlite: async (limits) => openSqlite(await makeFolder(), limits),
  "sqlite without a cache": async (limits) => openSqlite(await makeFolder(), { ...limits, maxCached: 0 }),
};

for (const [name, create] of Object.entries(STORES)) {
  const open = async () => {
    const clock = { now: 1_764_000_000_000 };
    const store = await create({ maxEntries: 100, pruneAfterMs: 60_000, now: () => clock.now });
    return { store, clock };
  };

  test(`${name}: title and settings are changed one by one, and what is null is taken away`, async () => {
    const { store, clock } = await open();
    const settled = async () => {
      const info = await store.find(ref("a"));
      const meta = (await store.read(ref("a")))?.meta;
      const [listed] = await store.list({ owner: "operator", limit: 1 });
      expect([meta?.title, meta?.settings]).toEqual([info?.title, info?.settings]);
      expect(listed).toEqual(info);
      return [info?.title, info?.settings];
    };
    expect(await store.change(ref("a"), { settings: { model: "x/y" } })).toBe(false);
    await keep(store, ref("a"), "1");
    expect(await settled()).toEqual([null, {}]);
    const usedAt = clock.now;
    clock.now += 10;
    expect(await store.change(ref("a"), { settings: { model: "x/y" } })).toBe(true);
    expect(await settled()).toEqual([null, { model: "x/y" }]);
    await store.change(ref("a"), { title: "T", settings: { thinking: "high" } });
    expect(await settled()).toEqual(["T", { model: "x/y", thinking: "high" }]);
    await store.change(ref("a"), { settings: { model: null } });
    expect(await settled()).toEqual(["T", { thinking: "high" }]);
    await store.change(ref("a"), { title: null });
    expect(await settled()).toEqual([null, { thinking: "high" }]);
    expect((await store.find(ref("a")))?.updatedAt).toBe(usedAt);
    await keep(store, ref("a"), "2");
    expect(await settled()).toEqual([null, { thinking: "high" }]);
    await store.delete(ref("a"));
    await keep(store, ref("a"), "3");
    expect(await settled()).toEqual([null, {}]);
  });

  test(`${name}: an empty session is made once, and is added to`, async () => {
    const { store } = await open();
    const begin = (title: string) =>
      store.append(ref("a"), { agent: "beta", entries: [], begins: { title, settings: { model: "x/y" } } });
    expect(await begin("first")).toBe(true);
    expect(await begin("second")).toBe(false);
    expect(await store.find(ref("a"))).toMatchObject({
      agent: "beta",
      title: "first",
      settings: { model: "x/y" },
      head: null,
      messages: 0,
      branches: 0,
    });
    await keep(store, ref("a"), "1");
    expect(await texts(store, ref("a"))).toEqual(["1"]);
    expect((await store.read(ref("a")))?.meta).toMatchObject({ title: "first", settings: { model: "x/y" } });
  });

  test(`${name}: a head that is taken away leaves everything where it is`, async () => {
    const { store, clock } = await open();
    expect(await store.append(ref("a"), { agent: "main", entries: [], head: null })).toBe(false);
    expect(await store.find(ref("a"))).toBeUndefined();
    await keep(store, ref("a"), "1", "2");
    expect(await store.append(ref("a"), { agent: "main", entries: [], head: null })).toBe(true);
    expect((await store.find(ref("a")))?.head).toBeNull();
    expect(await texts(store, ref("a"))).toEqual([]);
    expect((await store.read(ref("a")))?.path("2").map(({ id }) => id)).toEqual(["1", "2"]);
    // What does not speak of it does not bring it back.
    await store.append(ref("a"), { agent: "main", entries: [entry("3")] });
    expect((await store.read(ref("a")))?.head).toBeNull();
    await store.append(ref("a"), { agent: "main", entries: [], head: "2" });
    expect(await texts(store, ref("a"))).toEqual(["1", "2"]);
    clock.now += 60_000;
    expect(await store.append(ref("a"), { agent: "main", entries: [], head: null })).toBe(false);
    expect(await store.find(ref("a"))).toBeUndefined();
  });

  test(`${name}: sessions are counted as they are listed`, async () => {
    const { store, clock } = await open();
    for (const key of ["trip", "work", "trip 2"]) {
      clock.now += 1000;
      await keep(store, ref(key), "1");
    }
    await keep(store, ref("trip", "local"), "1");
    await store.append({ owner: "operator", key: "agent:beta:trip" }, { agent: "beta", entries: [entry("1")] });
    const queries = [
      {},
      { agent: "beta" },
      { search: "TRIP" },
      { agent: "main", search: "trip" },
      { usedAfter: clock.now - 2000 },
      { usedAfter: clock.now - 1999 },
      { usedAfter: clock.now },
    ];
    const counts: number[] = [];
    for (const query of queries) {
      const count = await store.count({ owner: "operator", ...query });
      expect(await store.list({ owner: "operator", limit: 100, ...query })).toHaveLength(count);
      counts.push(count);
    }
    expect(counts).toEqual([4, 1, 3, 2, 3, 3, 0]);
    expect(await store.count({ owner: "nobody" })).toBe(0);
    clock.now += 59_500;
    expect(await store.count({ owner: "operator" })).toBe(2);
  });
}

test("a database from before there were settings is gone on with", async () => {
  const folder = await makeFolder();
  const store = openSqlite(folder);
  await keep(store, ref("a"), "1", "2");
  await store.change(ref("a"), { title: "old" });
  await store.close();
  // Back to the schema of then.
  const database = new DatabaseSync(join(folder, "sessions.sqlite"));
  database.exec("ALTER TABLE session DROP COLUMN settings; PRAGMA user_version = 2;");
  const columns = database.prepare("SELECT name FROM pragma_table_info('session')").all();
  expect(columns).not.toContainEqual({ name: "settings" });
  database.close();
  const again = openSqlite(folder);
  expect(await texts(again, ref("a"))).toEqual(["1", "2"]);
  expect(await again.find(ref("a"))).toMatchObject({ title: "old", settings: {} });
  await again.change(ref("a"), { settings: { thinking: "low" } });
  await again.close();
  expect((await openSqlite(folder).find(ref("a")))?.settings).toEqual({ thinking: "low" });
});

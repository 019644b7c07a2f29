import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { ConfigError } from "../../src/errors/config-error.ts";
import { StateLockedError } from "../../src/errors/state-locked-error.ts";
import { Connection } from "../../src/sessions/sqlite/connection.ts";
import { createSqliteStore, type SqliteStoreOptions } from "../../src/sessions/sqlite/sqlite-store.ts";
import { entry, keep, ref, sessionStoreContract, texts } from "./store-contract.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-sqlite-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function createStore(folder: string, more: Partial<SqliteStoreOptions> = {}) {
  const connection = new Connection({ folder, sync: "full", lockTimeoutMs: 0 });
  const store = createSqliteStore(connection, { maxEntries: 1000, pruneAfterMs: 1e15, ...more });
  onTestFinished(() => store.close());
  return store;
}

sessionStoreContract("sqlite", async (limits) => createStore(await makeFolder(), limits));
// Nothing at hand: every read asks the database.
sessionStoreContract("sqlite without a cache", async (limits) =>
  createStore(await makeFolder(), { ...limits, maxCached: 0 }),
);

test("what was kept is there for the next one to open it, the order of branches too", async () => {
  const folder = await makeFolder();
  const first = createStore(folder);
  await keep(first, ref("a"), "1", "2");
  await first.append(ref("a"), { agent: "main", entries: [entry("1b")], carriesHistory: true });
  await first.change(ref("a"), { title: "title" });
  await first.close();
  const second = createStore(folder);
  expect(await texts(second, ref("a"))).toEqual(["1", "2"]);
  const transcript = await second.read(ref("a"));
  expect(transcript?.children(null).map((node) => node.entry.id)).toEqual(["1", "1b"]);
  expect([transcript?.carriesHistory, transcript?.meta.title]).toEqual([true, "title"]);
});

test("a folder has one store at a time", async () => {
  const folder = await makeFolder();
  const first = createStore(folder);
  await first.open();
  const second = createStore(folder);
  const refusal = await second.open().catch((error) => error);
  expect(refusal).toBeInstanceOf(StateLockedError);
  expect(refusal.message).toContain(folder);
  await expect(keep(second, ref("a"), "1")).rejects.toThrow(StateLockedError);
  await first.close();
  // Whoever was refused may try again.
  await keep(second, ref("a"), "1");
  expect(await texts(second, ref("a"))).toEqual(["1"]);
});

test("one that was refused does not take the lock from the one that has it", async () => {
  const folder = await makeFolder();
  await createStore(folder).open();
  await expect(createStore(folder).open()).rejects.toThrow(StateLockedError);
  const source = new URL("../../src/sessions/sqlite/connection.ts", import.meta.url).href;
  const script = `
    const { Connection } = await import(${JSON.stringify(source)});
    const options = { folder: ${JSON.stringify(folder)}, sync: "full", lockTimeoutMs: 0 };
    await new Connection(options).open().then(() => console.log("opened"), (error) => console.log(error.name));
  `;
  const args = ["--input-type=module", "--conditions=@openclaw/source", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  expect(stdout.trim()).toBe("StateLockedError");
});

test("only its user may read what is kept", async () => {
  const folder = join(await makeFolder(), "new");
  const store = createStore(folder);
  await keep(store, ref("a"), "secret");
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const files = await readdir(folder);
  expect(files).toContain("sessions.sqlite-wal");
  for (const file of files) expect([file, (await stat(join(folder, file))).mode & 0o777]).toEqual([file, 0o600]);
});

test("others may read the database meanwhile", async () => {
  const folder = await makeFolder();
  const store = createStore(folder);
  await keep(store, ref("a"), "1");
  const reader = new DatabaseSync(join(folder, "sessions.sqlite"), { readOnly: true });
  expect(reader.prepare("SELECT message FROM entry").all()).toHaveLength(1);
  await keep(store, ref("a"), "2");
  expect(reader.prepare("SELECT message FROM entry").all()).toHaveLength(2);
  reader.close();
});

test("a database of a newer version is left alone", async () => {
  const folder = await makeFolder();
  const database = new DatabaseSync(join(folder, "sessions.sqlite"));
  database.exec("PRAGMA user_version = 999; CREATE TABLE theirs (x)");
  database.close();
  await expect(createStore(folder).open()).rejects.toThrow(/newer version/);
  const after = new DatabaseSync(join(folder, "sessions.sqlite"));
  expect(after.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "theirs" }]);
  after.close();
});

test("a file that is no database, and a folder that is none, are said, with the way out", async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, "sessions.sqlite"), "x".repeat(5000));
  await writeFile(join(folder, "file"), "");
  for (const wrong of [folder, join(folder, "file")]) {
    const error = await createStore(wrong)
      .open()
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(`${wrong}: sessions cannot be stored here`);
    expect(error.message).toContain("OPENCLAW_STATE_DIR");
  }
});

test("a store that nobody closes keeps no process alive, and loses nothing", async () => {
  const folder = await makeFolder();
  const source = (name: string) => new URL(`../../src/sessions/sqlite/${name}.ts`, import.meta.url).href;
  const script = `
    const { createSqliteStore } = await import(${JSON.stringify(source("sqlite-store"))});
    const { Connection } = await import(${JSON.stringify(source("connection"))});
    const connection = new Connection({ folder: ${JSON.stringify(folder)}, sync: "full", lockTimeoutMs: 0 });
    const store = createSqliteStore(connection, { maxEntries: 9, pruneAfterMs: 1e15 });
    const entry = { id: "1", parent: null, message: { role: "user", content: "hi" }, runId: "r", at: 1 };
    await store.append({ owner: "operator", key: "agent:main:a" }, { agent: "main", entries: [entry], head: "1" });
  `;
  await promisify(execFile)(process.execPath, ["--input-type=module", "--conditions=@openclaw/source", "-e", script], {
    timeout: 30_000,
  });
  expect(await texts(createStore(folder), ref("a"))).toEqual(["hi"]);
});

test("what is loaded before the program is not loaded into the database's thread too", async () => {
  const [folder, log] = [await makeFolder(), join(await makeFolder(), "threads")];
  const preload = join(folder, "preload.mjs");
  await writeFile(
    preload,
    `import { appendFileSync } from "node:fs";
     import { isMainThread } from "node:worker_threads";
     appendFileSync(${JSON.stringify(log)}, isMainThread ? "main " : "thread ");`,
  );
  const script = `
    import { Connection } from "./src/sessions/sqlite/connection.ts";
    const connection = new Connection({ folder: ${JSON.stringify(folder)}, sync: "full", lockTimeoutMs: 0 });
    await connection.open();
    await connection.close();
  `;
  const flags = ["--conditions=@openclaw/source", "--import", preload, "--input-type=module"];
  await promisify(execFile)(process.execPath, [...flags, "--eval", script], {
    cwd: join(import.meta.dirname, "../.."),
    env: { PATH: process.env.PATH, NODE_OPTIONS: `--import ${preload}` },
  });
  // Once by each way.
  expect((await readFile(log, "utf8")).trim()).toMatch(/^main(?: main)?$/);
});

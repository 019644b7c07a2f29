import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChatCompletion } from "@openclaw/protocol";
import { expect, onTestFinished, test } from "vitest";
import { createMemoryCompletions } from "../../src/completions/memory-completions.ts";
import { createSqliteCompletions } from "../../src/completions/sqlite/sqlite-completions.ts";
import { type AnswerRecord, type CompletionStoreOptions, LIMITS } from "../../src/completions/store.ts";
import { Connection } from "../../src/sessions/sqlite/connection.ts";

const clock = { now: 1_764_000_000_000 };

async function createSqlite(options: CompletionStoreOptions) {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-completions-"));
  const connection = new Connection({ folder, sync: "normal", lockTimeoutMs: 0 });
  onTestFinished(async () => {
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  });
  return createSqliteCompletions(connection, options);
}

const kinds = [
  ["memory", createMemoryCompletions],
  ["sqlite", createSqlite],
] as const;

const record = (key: string, more: Partial<AnswerRecord> = {}): AnswerRecord => ({
  owner: "operator",
  key,
  fingerprint: "f",
  runId: `chatcmpl-${key}`,
  sessionKey: "agent:main:x",
  at: clock.now,
  stream: true,
  body: "x".repeat(100),
  ...more,
});

const kept = (id: string, metadata: Record<string, string> | null = null) => ({
  owner: "operator",
  completion: { id, object: "chat.completion", created: 1, model: "m", choices: [] } as ChatCompletion,
  metadata,
  request: {},
});

for (const [kind, create] of kinds) {
  const open = async (limits: Partial<typeof LIMITS> = {}) =>
    create({ now: () => clock.now, limits: { ...LIMITS, ...limits } });
  const keysOf = async (store: Awaited<ReturnType<typeof open>>, keys: string[]) => {
    const found = await Promise.all(keys.map((key) => store.findRecord("operator", key)));
    return keys.filter((_, index) => found[index] !== undefined);
  };

  test(`${kind}: a record comes back as it was given, to its owner`, async () => {
    const store = await open();
    const error = { code: "run_aborted", message: "é", status: 409, param: null } as const;
    await store.putRecord(record("k", { error, body: "\u0000 漢\n\n", stream: false }));
    expect(await store.findRecord("operator", "k")).toEqual(
      record("k", { error, body: "\u0000 漢\n\n", stream: false }),
    );
    expect(await store.findRecord("somebody", "k")).toBeUndefined();
    await store.putRecord(record("k", { body: "again" }));
    expect((await store.findRecord("operator", "k"))?.body).toBe("again");
  });

  test(`${kind}: of too many records, or too much of them, the newest stay`, async () => {
    const keys = ["a", "b", "c", "d"];
    for (const limits of [{ records: 2 }, { recordChars: 250 }]) {
      const store = await open(limits);
      for (const key of keys) {
        clock.now += 1;
        await store.putRecord(record(key));
      }
      await store.prune();
      expect(await keysOf(store, keys)).toEqual(["c", "d"]);
    }
  });

  test(`${kind}: what is too old is gone, pruned or not`, async () => {
    const store = await open();
    await store.putRecord(record("old"));
    await store.putCompletion(kept("chatcmpl-old"), []);
    clock.now += LIMITS.recordMs;
    expect(await keysOf(store, ["old"])).toEqual([]);
    expect(await store.findCompletion("operator", "chatcmpl-old")).toBeDefined();
    clock.now += LIMITS.completionMs;
    expect(await store.findCompletion("operator", "chatcmpl-old")).toBeUndefined();
    await store.prune();
  });

  test(`${kind}: any name of metadata can be looked for`, async () => {
    const store = await open();
    const names = ["__proto__", "a.b", 'q"', "$.x", "漢", ""];
    for (const [index, name] of names.entries()) {
      await store.putCompletion(
        kept(
          `chatcmpl-${index}`,
          Object.fromEntries([
            [name, "v"],
            ["all", ""],
          ]),
        ),
        [],
      );
    }
    const find = async (...pairs: [string, string][]) =>
      (await store.listCompletions({ owner: "operator", metadata: new Map(pairs), order: "asc", limit: 10 }))?.map(
        ({ completion }) => completion.id,
      );
    for (const [index, name] of names.entries()) {
      expect(await find([name, "v"])).toEqual([`chatcmpl-${index}`]);
      expect(await find([name, "v"], ["all", ""])).toEqual([`chatcmpl-${index}`]);
      expect(await find([name, "w"])).toEqual([]);
    }
    expect(await find(["all", ""])).toHaveLength(names.length);
  });
}

import { expect, test } from "vitest";
import type { Addition } from "../../src/sessions/entry.ts";
import { createMemoryStore } from "../../src/sessions/memory-store.ts";
import { withNews } from "../../src/sessions/telling-store.ts";
import { entry, ref, sessionStoreContract, texts } from "./store-contract.ts";

const LIMITS = { maxEntries: 10, pruneAfterMs: 60_000 };
const silent = { appended: () => undefined };
const fail = (error: unknown) => {
  throw error;
};

sessionStoreContract("telling", (limits) => withNews(createMemoryStore(limits), silent, fail));

test("what was added is told once it is kept, and before whoever added it goes on", async () => {
  const told: string[] = [];
  const gate = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<void>();
  const inner = createMemoryStore(LIMITS);
  const store = withNews(
    inner,
    {
      async appended(session, { entries }: Addition) {
        told.push(`${(await inner.read(session))?.get(entries[0]?.id ?? "")?.entry.id}`);
        heard.resolve();
        await gate.promise;
        told.push("all told");
      },
    },
    fail,
  );
  const appended = store.append(ref("a"), { agent: "main", entries: [entry("1")] }).then(() => told.push("goes on"));
  await heard.promise;
  expect(told).toEqual(["1"]);
  gate.resolve();
  await appended;
  expect(told).toEqual(["1", "all told", "goes on"]);
});

test("what was not added, or says nothing, is not told", async () => {
  const store = withNews(createMemoryStore(LIMITS), { appended: () => fail(new Error("told")) }, fail);
  expect(await store.append(ref("a"), { agent: "main", entries: [entry("2", "1")] })).toBe(false);
  expect(await store.append(ref("a"), { agent: "main", entries: [], begins: { title: null } })).toBe(true);
  expect(await store.append(ref("a"), { agent: "main", entries: [], head: null })).toBe(true);
});

test("whoever cannot tell it is reported, and it is kept all the same", async () => {
  const bugs: unknown[] = [];
  const onBug = (error: unknown, about: object) => bugs.push([String(error), about]);
  const throws = [() => fail(new Error("at once")), async () => fail(new Error("later"))] as const;
  for (const [index, appended] of throws.entries()) {
    const store = withNews(createMemoryStore(LIMITS), { appended: appended as () => Promise<void> }, onBug);
    expect(await store.append(ref("a"), { agent: "main", entries: [entry("1")], head: "1" })).toBe(true);
    expect(await texts(store, ref("a"))).toEqual(["1"]);
    const words = index === 0 ? "Error: at once" : "Error: later";
    expect(bugs.pop()).toEqual([words, { sessionKey: ref("a").key }]);
  }
});

import { expect, test } from "vitest";
import { createMemoryStore, type MemoryStoreOptions } from "../../src/sessions/memory-store.ts";
import { collectGarbage } from "../support/garbage.ts";
import { ref, sessionStoreContract, stored, texts } from "./store-contract.ts";

sessionStoreContract("memory", () => createMemoryStore({ maxEntries: 100, pruneAfterMs: 60_000 }));

/** A store with a clock of its own. */
function storeAt(options: Partial<MemoryStoreOptions> = {}) {
  const clock = { now: 0 };
  return { clock, store: createMemoryStore({ maxEntries: 2, pruneAfterMs: 1000, now: () => clock.now, ...options }) };
}

test("the session unused for longest goes when there are too many", async () => {
  const { store } = storeAt();
  for (const key of ["a", "b", "c"]) await store.append(ref(key), [stored(key)]);
  expect(await texts(store, ref("a"))).toEqual([]);
  expect(await texts(store, ref("b"))).toEqual(["b"]);
  expect(await texts(store, ref("c"))).toEqual(["c"]);
});

test("reading and writing are use", async () => {
  const { store } = storeAt();
  await store.append(ref("a"), [stored("a")]);
  await store.append(ref("b"), [stored("b")]);
  await store.read(ref("a"));
  await store.append(ref("c"), [stored("c")]);
  await store.append(ref("a"), [stored("a")]);
  await store.append(ref("d"), [stored("d")]);
  expect(await texts(store, ref("a"))).toEqual(["a", "a"]);
  expect(await texts(store, ref("b"))).toEqual([]);
  expect(await texts(store, ref("c"))).toEqual([]);
});

test("looking for a session that is not there pushes nobody out", async () => {
  const { store } = storeAt();
  await store.append(ref("a"), [stored("a")]);
  await store.append(ref("b"), [stored("b")]);
  for (const key of ["c", "d", "e"]) await store.read(ref(key));
  expect(await texts(store, ref("a"))).toEqual(["a"]);
});

test("a session unused for pruneAfter is forgotten, and begins anew", async () => {
  const { store, clock } = storeAt();
  await store.append(ref("a"), [stored("old")]);
  clock.now = 999;
  expect(await texts(store, ref("a"))).toEqual(["old"]);
  clock.now = 1998;
  expect(await texts(store, ref("a"))).toEqual(["old"]);
  clock.now = 2998;
  expect(await texts(store, ref("a"))).toEqual([]);
  await store.append(ref("a"), [stored("new")]);
  expect(await texts(store, ref("a"))).toEqual(["new"]);
});

test("a session that is forgotten is not kept in memory", async () => {
  const { store, clock } = storeAt({ maxEntries: 100 });
  let message: ReturnType<typeof stored> | undefined = stored("x".repeat(1000));
  const seen = new WeakRef(message);
  await store.append(ref("a"), [message]);
  message = undefined;
  clock.now = 5000;
  await store.append(ref("b"), [stored("b")]);
  await new Promise(setImmediate);
  collectGarbage();
  expect(seen.deref()).toBeUndefined();
});

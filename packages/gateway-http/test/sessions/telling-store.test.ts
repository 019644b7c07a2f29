import { expect, test } from "vitest";
import type { Addition } from "../../src/sessions/entry.ts";
import { createMemoryStore } from "../../src/sessions/memory-store.ts";
import { withNews } from "../../src/sessions/telling-store.ts";
import { entry, ref, sessionStoreContract, texts } from "./store-contract.ts";

const LIMITS = { maxEntries: 10, pruneAfterMs: 60_000 };
const silent = { appended: () => undefined, changed: () => undefined };
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
      ...silent,
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

test("what was not added is not told, and what else is done is told by its name", async () => {
  const told: string[] = [];
  const listener = {
    appended: () => void told.push("appended") as undefined,
    changed: (_session: object, what: string) => void told.push(what) as undefined,
  };
  const store = withNews(createMemoryStore(LIMITS), listener, fail);
  const agent = "main";
  expect(await store.append(ref("a"), { agent, entries: [entry("2", "1")] })).toBe(false);
  expect(await store.change(ref("a"), { title: "A" })).toBe(false);
  expect(await store.delete(ref("a"))).toBe(false);
  expect(told).toEqual([]);
  await store.append(ref("a"), { agent, entries: [], begins: { title: null } });
  await store.append(ref("a"), { agent, entries: [entry("1")], head: "1" });
  await store.append(ref("a"), { agent, entries: [], head: null });
  await store.append(ref("a"), { agent, entries: [], head: "1" });
  await store.change(ref("a"), {});
  await store.change(ref("a"), { title: "A" });
  await store.delete(ref("a"));
  await store.append(ref("b"), { agent, entries: [entry("1")], head: "1", begins: { title: null } });
  expect(told).toEqual(["create", "appended", "reset", "patch", "patch", "delete", "appended", "create"]);
});

test("whoever cannot tell it is reported, and it is kept all the same", async () => {
  const bugs: unknown[] = [];
  const onBug = (error: unknown, about: object) => bugs.push([String(error), about]);
  const throws = [() => fail(new Error("at once")), async () => fail(new Error("later"))] as const;
  for (const [index, appended] of throws.entries()) {
    const store = withNews(createMemoryStore(LIMITS), { ...silent, appended: appended as () => Promise<void> }, onBug);
    expect(await store.append(ref("a"), { agent: "main", entries: [entry("1")], head: "1" })).toBe(true);
    expect(await texts(store, ref("a"))).toEqual(["1"]);
    const words = index === 0 ? "Error: at once" : "Error: later";
    expect(bugs.pop()).toEqual([words, { sessionKey: ref("a").key }]);
  }
});

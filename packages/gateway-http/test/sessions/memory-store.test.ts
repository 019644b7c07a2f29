import { expect, test } from "vitest";
import { createMemoryStore } from "../../src/sessions/memory-store.ts";
import { collectGarbage } from "../support/garbage.ts";
import { entry, keep, ref, sessionStoreContract } from "./store-contract.ts";

sessionStoreContract("memory", createMemoryStore);

test("a session that is forgotten is not kept in memory", async () => {
  const clock = { now: 0 };
  const store = createMemoryStore({ maxEntries: 100, pruneAfterMs: 1000, now: () => clock.now });
  let kept: ReturnType<typeof entry> | undefined = entry("x".repeat(1000));
  const seen = new WeakRef(kept);
  await store.append(ref("a"), { agent: "main", entries: [kept] });
  kept = undefined;
  clock.now = 5000;
  await keep(store, ref("b"), "b");
  await new Promise(setImmediate);
  collectGarbage();
  expect(seen.deref()).toBeUndefined();
});

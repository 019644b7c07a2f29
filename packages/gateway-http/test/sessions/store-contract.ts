import { expect, onTestFinished, test } from "vitest";
import type { TurnMessage } from "../../src/chat/turn.ts";
import type { Entry } from "../../src/sessions/entry.ts";
import type { StoreLimits } from "../../src/sessions/memory-store.ts";
import type { SessionInfo, SessionRef, SessionStore } from "../../src/sessions/store.ts";

export const ref = (key: string, owner = "operator"): SessionRef => ({ owner, key: `agent:main:${key}` });

/** An entry whose id and text are the same. */
export const entry = (id: string, parent: string | null = null, more: Partial<Entry> = {}): Entry => ({
  id,
  parent,
  message: { role: "user", content: id },
  runId: "chatcmpl-1",
  at: 1_764_000_000_000,
  ...more,
});

/** Adds entries, each the child of the one before, and moves the head to the last. */
export async function keep(store: SessionStore, session: SessionRef, ...ids: string[]): Promise<boolean> {
  const head = (await store.read(session))?.head?.entry.id ?? null;
  const entries = ids.map((id, index) => entry(id, index === 0 ? head : (ids[index - 1] as string)));
  return store.append(session, { agent: "main", entries, head: ids.at(-1) as string });
}

/** The messages from the first to the head. */
export const texts = async (store: SessionStore, session: SessionRef) => {
  const transcript = await store.read(session);
  return transcript?.path(transcript.head?.entry.id).map(({ message }) => message.content) ?? [];
};

type Create = (limits: StoreLimits) => SessionStore | Promise<SessionStore>;

/** What every store promises, whatever it keeps its sessions in. `create` makes an empty one. */
export function sessionStoreContract(name: string, create: Create): void {
  async function open(limits: Partial<StoreLimits> = {}) {
    const clock = { now: 1_764_000_000_000 };
    const store = await create({ maxEntries: 100, pruneAfterMs: 60_000, now: () => clock.now, ...limits });
    onTestFinished(() => store.close());
    return { store, clock };
  }

  test(`${name}: what else stands beside an owner and a key is nobody's`, async () => {
    const { store } = await open();
    const named = { ...ref("a"), agent: { run: () => {} } };
    expect(await keep(store, named, "1")).toBe(true);
    await store.change(named, { title: "A" });
    expect(await store.find(named)).toEqual(await store.find(ref("a")));
    expect(await texts(store, ref("a"))).toEqual(["1"]);
    expect(await store.delete(named)).toBe(true);
  });

  test(`${name}: a session that does not exist is nothing`, async () => {
    const { store } = await open();
    expect(await store.read(ref("a"))).toBeUndefined();
    expect(await store.find(ref("a"))).toBeUndefined();
    expect(await store.change(ref("a"), { title: "title" })).toBe(false);
    expect(await store.delete(ref("a"))).toBe(false);
    expect(await store.list({ owner: "operator", limit: 10 })).toEqual([]);
  });

  test(`${name}: what was appended is read, oldest first`, async () => {
    const { store } = await open();
    await keep(store, ref("a"), "1", "2");
    await keep(store, ref("a"), "3");
    expect(await texts(store, ref("a"))).toEqual(["1", "2", "3"]);
  });

  test(`${name}: branches keep their places, and the head stays where it was put`, async () => {
    const { store } = await open();
    await keep(store, ref("a"), "1", "2", "3");
    await store.append(ref("a"), { agent: "main", entries: [entry("2b", "1"), entry("3b", "2b")] });
    await store.append(ref("a"), { agent: "main", entries: [entry("other root")] });
    const transcript = await store.read(ref("a"));
    expect(transcript?.head?.entry.id).toBe("3");
    expect(transcript?.path("3b").map(({ id }) => id)).toEqual(["1", "2b", "3b"]);
    expect(transcript?.children("1").map((node) => node.entry.id)).toEqual(["2", "2b"]);
    expect(transcript?.children(null).map((node) => node.entry.id)).toEqual(["1", "other root"]);
    await store.append(ref("a"), { agent: "main", entries: [], head: "3b" });
    expect(await texts(store, ref("a"))).toEqual(["1", "2b", "3b"]);
  });

  test(`${name}: an entry comes back as it was given`, async () => {
    const { store } = await open();
    const call = { id: "c", type: "function" as const, function: { name: "f", arguments: "{" } };
    const messages: TurnMessage[] = [
      { role: "user", content: "é 漢 😀 \u0000 \ud800 \r\n" },
      { role: "user", content: [{ type: "text", text: "part" }] },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", content: "r", tool_call_id: "c" },
    ];
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const entries = messages.map((message, index) =>
      entry(`${index}`, index === 0 ? null : `${index - 1}`, {
        message,
        ...(index === 1 && { hidden: true }),
        ...(index === 2 && { aborted: true, usage }),
        ...(index === 3 && { at: 5, runId: "chatcmpl-2" }),
      }),
    );
    await store.append(ref("a"), { agent: "main", entries, carriesHistory: true });
    const transcript = await store.read(ref("a"));
    expect([...(transcript?.entries() ?? [])]).toEqual(entries);
    expect(transcript?.visible.map((node) => node.entry.id)).toEqual(["0", "2", "3"]);
    expect(transcript?.carriesHistory).toBe(true);
    expect(transcript?.head).toBeNull();
  });

  test(`${name}: that history came is remembered`, async () => {
    const { store } = await open();
    await store.append(ref("a"), { agent: "main", entries: [entry("1")], carriesHistory: true });
    await keep(store, ref("a"), "2");
    expect((await store.read(ref("a")))?.carriesHistory).toBe(true);
  });

  test(`${name}: sessions do not see each other, nor owners`, async () => {
    const { store } = await open();
    const others = [ref("b"), ref("A"), ref("a", "local"), ref("a:"), { owner: "operatoragent:main:a", key: "" }];
    await keep(store, ref("a"), "mine");
    for (const other of others) expect(await store.read(other)).toBeUndefined();
    for (const other of others) await keep(store, other, "theirs");
    expect(await texts(store, ref("a"))).toEqual(["mine"]);
    expect((await store.list({ owner: "local", limit: 10 })).map(({ key }) => key)).toEqual(["agent:main:a"]);
    expect(await store.delete(ref("a", "nobody"))).toBe(false);
  });

  test(`${name}: what the caller does with its list afterwards is not stored`, async () => {
    const { store } = await open();
    const mine = [entry("1")];
    await store.append(ref("a"), { agent: "main", entries: mine, head: "1" });
    mine.push(entry("2", "1"));
    expect(await texts(store, ref("a"))).toEqual(["1"]);
  });

  test(`${name}: what is appended at the same time is all there, in order`, async () => {
    const { store } = await open();
    const pairs = Array.from({ length: 20 }, (_, index) => [entry(`${index}a`), entry(`${index}b`, `${index}a`)]);
    await Promise.all(pairs.map((entries) => store.append(ref("a"), { agent: "main", entries })));
    const all = [...((await store.read(ref("a")))?.entries() ?? [])].map(({ id }) => id);
    expect(all).toEqual(pairs.flat().map(({ id }) => id));
  });

  test(`${name}: reads between writes see whole turns only`, async () => {
    const { store } = await open();
    const seen: number[] = [];
    const work: Promise<unknown>[] = [];
    for (let turn = 0; turn < 30; turn++) {
      const parent = turn === 0 ? null : `${turn - 1}b`;
      const entries = [entry(`${turn}a`, parent), entry(`${turn}b`, `${turn}a`)];
      work.push(store.append(ref("a"), { agent: "main", entries, head: `${turn}b` }));
      work.push(
        store.read(ref("a")).then((transcript) => seen.push(transcript?.path(transcript.head?.entry.id).length ?? 0)),
      );
    }
    await Promise.all(work);
    expect(seen.every((length) => length % 2 === 0)).toBe(true);
    expect(await texts(store, ref("a"))).toHaveLength(60);
  });

  test(`${name}: what follows something that is not there is not added`, async () => {
    const { store } = await open();
    expect(await store.append(ref("a"), { agent: "main", entries: [entry("2", "1")] })).toBe(false);
    expect(await store.read(ref("a"))).toBeUndefined();
    await keep(store, ref("a"), "1");
    expect(await store.append(ref("a"), { agent: "main", entries: [entry("3", "2")], head: "3" })).toBe(false);
    await store.delete(ref("a"));
    expect(await store.append(ref("a"), { agent: "main", entries: [entry("2", "1")], head: "2" })).toBe(false);
    expect(await store.read(ref("a"))).toBeUndefined();
  });

  test(`${name}: an addition with something wrong in it is not added at all`, async () => {
    const { store } = await open();
    await keep(store, ref("a"), "1");
    const additions = [
      [entry("2", "1"), entry("3", "nowhere")],
      [entry("2", "1"), entry("1", "2")],
    ];
    for (const entries of additions) {
      await expect(store.append(ref("a"), { agent: "main", entries, head: "2" })).rejects.toThrow();
    }
    const good = store.append(ref("a"), { agent: "main", entries: [entry("good", "1")], head: "good" });
    const again = entry("good", "1", { runId: "chatcmpl-2" });
    const bad = store.append(ref("a"), { agent: "main", entries: [again], head: "good" });
    await expect(good).resolves.toBe(true);
    await expect(bad).rejects.toThrow();
    expect(await texts(store, ref("a"))).toEqual(["1", "good"]);
    expect((await store.read(ref("a")))?.size).toBe(2);
  });

  test(`${name}: a session can be renamed and deleted, and begins anew`, async () => {
    const { store } = await open();
    await keep(store, ref("a"), "1");
    expect(await store.change(ref("a"), { title: "Holidays 漢" })).toBe(true);
    expect((await store.read(ref("a")))?.meta.title).toBe("Holidays 漢");
    await keep(store, ref("a"), "2");
    expect((await store.read(ref("a")))?.meta.title).toBe("Holidays 漢");
    expect(await store.delete(ref("a"))).toBe(true);
    expect(await store.read(ref("a"))).toBeUndefined();
    await keep(store, ref("a"), "1");
    expect(await texts(store, ref("a"))).toEqual(["1"]);
    expect((await store.read(ref("a")))?.meta.title).toBeNull();
  });

  test(`${name}: the list has what was used last first, by agent and up to a limit`, async () => {
    const { store, clock } = await open();
    for (const key of ["a", "b", "c"]) {
      clock.now += 1000;
      await keep(store, ref(key), "1", "2");
    }
    clock.now += 1000;
    await keep(store, ref("a"), "3");
    await store.append({ owner: "operator", key: "agent:beta:x" }, { agent: "beta", entries: [entry("1")] });
    const list = await store.list({ owner: "operator", agent: "main", limit: 2 });
    expect(list).toEqual([
      {
        key: "agent:main:a",
        agent: "main",
        title: null,
        settings: {},
        createdAt: clock.now - 3000,
        updatedAt: clock.now,
        head: "3",
        messages: 3,
        branches: 1,
      },
      expect.objectContaining({ key: "agent:main:c", messages: 2, updatedAt: clock.now - 1000 }),
    ]);
    expect(await store.list({ owner: "operator", limit: 10 })).toHaveLength(4);
  });

  test(`${name}: the list goes both ways, place by place, those of the same moment too`, async () => {
    const { store, clock } = await open();
    const keys = ["b", "a", "d", "c"].map((key) => ref(key).key);
    for (const key of keys.slice(0, 3)) await keep(store, { owner: "operator", key }, "1");
    clock.now += 1;
    await keep(store, { owner: "operator", key: keys[3] as string }, "1");
    const up = ["a", "b", "d", "c"].map((key) => ref(key).key);
    for (const order of ["asc", "desc"] as const) {
      for (const limit of [1, 2, 3, 10]) {
        const seen: SessionInfo[] = [];
        for (;;) {
          const page = await store.list({ owner: "operator", order, limit, after: seen.at(-1) });
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(limit);
          seen.push(...page);
        }
        expect(seen.map(({ key }) => key)).toEqual(order === "asc" ? up : up.toReversed());
      }
    }
    // A place is one, whoever is there.
    const after = { key: ref("bb").key, updatedAt: clock.now - 1 };
    const behind = await store.list({ owner: "operator", order: "asc", limit: 10, after });
    expect(behind.map(({ key }) => key)).toEqual([ref("d").key, ref("c").key]);
  });

  test(`${name}: the list is searched in titles and keys, in any case and script`, async () => {
    const { store } = await open();
    for (const key of ["Holidays", "work", "ЖЁЛТЫЙ"]) await keep(store, ref(key), "needle");
    await store.change(ref("work"), { title: "Straße 100% é_x" });
    const found = async (search: string) =>
      (await store.list({ owner: "operator", search, limit: 10 })).map(({ key }) => key.replace("agent:main:", ""));
    expect(await found("HOLI")).toEqual(["Holidays"]);
    expect(await found("жёлтый")).toEqual(["ЖЁЛТЫЙ"]);
    for (const search of ["strasse", "100%", "E\u0301_X", "Work"])
      expect(await found(search), search).toEqual(["work"]);
    for (const search of ["%", "_", "needle", "\u0000", "'"]) {
      expect(await found(search), search).toEqual(search === "%" || search === "_" ? ["work"] : []);
    }
    expect(await found("AGENT:MAIN:")).toHaveLength(3);
    expect(await store.list({ owner: "local", search: "work", limit: 10 })).toEqual([]);
    expect(await store.list({ owner: "operator", agent: "beta", search: "work", limit: 10 })).toEqual([]);
  });

  test(`${name}: branches are counted as callers see them`, async () => {
    const { store } = await open();
    const steps: Entry[][] = [
      [entry("q")],
      [entry("step", "q", { hidden: true }), entry("a", "step")],
      // Another answer, that other steps led to; then steps that led to nothing.
      [entry("step 2", "q", { hidden: true }), entry("step 3", "step 2", { hidden: true }), entry("b", "step 3")],
      [entry("step 4", "a", { hidden: true })],
      [entry("step 5", "b", { hidden: true }), entry("c", "step 5"), entry("d", "c")],
      [entry("other root")],
      [entry("step 0", null, { hidden: true }), entry("third root", "step 0")],
    ];
    const counts: number[] = [];
    for (const entries of steps) {
      await store.append(ref("a"), { agent: "main", entries });
      const info = await store.find(ref("a"));
      const transcript = await store.read(ref("a"));
      const leaves = transcript?.visible.filter(({ visibleChildren }) => visibleChildren.length === 0);
      expect([info?.branches, info?.messages]).toEqual([leaves?.length, transcript?.visible.length]);
      expect(transcript?.branches).toBe(leaves?.length);
      counts.push(info?.branches ?? 0);
    }
    expect(counts).toEqual([1, 1, 2, 2, 2, 3, 4]);
    expect(await store.list({ owner: "operator", limit: 1 })).toEqual([await store.find(ref("a"))]);
  });

  test(`${name}: what is to begin a session begins it whole, or not at all`, async () => {
    const { store, clock } = await open();
    const begin = (...ids: string[]) => {
      const entries = ids.map((id, index) => entry(id, index === 0 ? null : (ids[index - 1] as string)));
      const head = ids.at(-1) as string;
      return store.append(ref("a"), { agent: "main", entries, head, carriesHistory: true, begins: { title: "T" } });
    };
    expect(await begin("1", "2")).toBe(true);
    expect(await store.find(ref("a"))).toMatchObject({ title: "T", head: "2", messages: 2 });
    expect((await store.read(ref("a")))?.carriesHistory).toBe(true);
    expect(await begin("3")).toBe(false);
    expect(await texts(store, ref("a"))).toEqual(["1", "2"]);
    await store.delete(ref("a"));
    expect((await Promise.all([begin("4"), begin("5")])).sort()).toEqual([false, true]);
    expect(await texts(store, ref("a"))).toHaveLength(1);
    clock.now += 60_000;
    expect(await begin("6")).toBe(true);
    expect(await texts(store, ref("a"))).toEqual(["6"]);
    await keep(store, ref("a"), "7");
    expect((await store.read(ref("a")))?.meta).toMatchObject({ title: "T", createdAt: clock.now });
  });

  test(`${name}: a session that is too old is neither found, renamed nor deleted`, async () => {
    const { store, clock } = await open();
    await keep(store, ref("a"), "1");
    clock.now += 60_000;
    expect(await store.find(ref("a"))).toBeUndefined();
    expect(await store.change(ref("a"), { title: "title" })).toBe(false);
    expect(await store.delete(ref("a"))).toBe(false);
  });

  test(`${name}: the session unused for longest goes when there are too many`, async () => {
    const { store, clock } = await open({ maxEntries: 2 });
    for (const key of ["a", "b", "a", "c"]) {
      clock.now += 10;
      await keep(store, ref(key), `${clock.now}`);
    }
    await store.prune();
    expect(await texts(store, ref("a"))).toHaveLength(2);
    expect(await store.read(ref("b"))).toBeUndefined();
    expect(await texts(store, ref("c"))).toHaveLength(1);
  });

  test(`${name}: many are pruned at once`, async () => {
    const { store, clock } = await open({ maxEntries: 5 });
    for (let index = 0; index < 350; index++) {
      clock.now += 1;
      await keep(store, ref(`${index}`), "1");
    }
    await store.prune();
    const left = await store.list({ owner: "operator", limit: 100 });
    expect(left.map(({ key }) => key)).toEqual([349, 348, 347, 346, 345].map((index) => ref(`${index}`).key));
  });

  test(`${name}: a session unused for pruneAfter is gone, pruned or not, and begins anew`, async () => {
    const { store, clock } = await open();
    await keep(store, ref("a"), "old");
    clock.now += 59_999;
    expect(await texts(store, ref("a"))).toEqual(["old"]);
    clock.now += 1;
    expect(await store.read(ref("a"))).toBeUndefined();
    expect(await store.list({ owner: "operator", limit: 10 })).toEqual([]);
    await keep(store, ref("a"), "new");
    expect(await texts(store, ref("a"))).toEqual(["new"]);
    expect([...((await store.read(ref("a")))?.entries() ?? [])]).toHaveLength(1);
  });
}

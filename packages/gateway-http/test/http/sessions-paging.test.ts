import { expect, test } from "vitest";
import { pathOf, startWithSessions, user } from "../support/sessions.ts";

const keyOf = (index: number) => `agent:main:s${String(index).padStart(4, "0")}`;

for (const kind of ["memory", "sqlite"] as const) {
  const start = () => startWithSessions({ config: { sessions: { store: { kind } } } });

  /** Pages through all sessions; between two pages `meanwhile` happens. */
  async function pageThrough(
    { call }: Awaited<ReturnType<typeof start>>,
    query: string,
    meanwhile?: (seen: string[]) => Promise<unknown>,
  ) {
    const seen: string[] = [];
    for (let after = ""; ; ) {
      const { json } = await call("GET", `/v1/sessions?${query}&after=${encodeURIComponent(after)}`);
      seen.push(...json.data.map(({ id }: { id: string }) => id));
      if (!json.has_more) return seen;
      after = json.last_id;
      await meanwhile?.(seen);
    }
  }

  test(`${kind}: a thousand sessions are on exactly one page each, whatever moment they were used at`, async () => {
    const door = await start();
    await Promise.all(Array.from({ length: 1000 }, (_, index) => door.say(keyOf(index), [user("hi")])));
    const all = Array.from({ length: 1000 }, (_, index) => keyOf(index));
    for (const [order, limit] of [
      ["asc", 100],
      ["desc", 37],
    ] as const) {
      const seen = await pageThrough(door, `order=${order}&limit=${limit}`);
      expect(seen.toSorted()).toEqual(all);
    }
    const some = await pageThrough(door, "search=S000&limit=3");
    expect(some.toSorted()).toEqual(all.slice(0, 10));
  });

  test(`${kind}: while the list is read, a session that nobody uses is on exactly one page`, async () => {
    const door = await start();
    for (let index = 0; index < 60; index++) await door.say(keyOf(index), [user("hi")]);
    for (const order of ["asc", "desc"]) {
      const used = new Set<string>();
      const seen = await pageThrough(door, `order=${order}&limit=7`, async (sofar) => {
        // The last of the page, which the next one begins behind, and one that is still to come.
        const toCome = Array.from({ length: 60 }, (_, index) => keyOf(index)).find((key) => !sofar.includes(key));
        for (const key of [sofar.at(-1), toCome]) {
          if (key === undefined || used.has(key)) continue;
          used.add(key);
          await door.say(key, [user("more")]);
        }
      });
      for (let index = 0; index < 60; index++) {
        const key = keyOf(index);
        const times = seen.filter((other) => other === key).length;
        if (!used.has(key)) expect([order, key, times]).toEqual([order, key, 1]);
      }
      expect(used.size).toBeGreaterThan(5);
    }
  });

  test(`${kind}: what was listed may be deleted before the next page is read`, async () => {
    const door = await start();
    for (let index = 0; index < 20; index++) await door.say(keyOf(index), [user("hi")]);
    let deleted = 0;
    const seen = await pageThrough(door, "limit=6", async (sofar) => {
      for (const key of sofar.slice(deleted)) await door.call("DELETE", pathOf(key));
      deleted = sofar.length;
    });
    expect(seen.toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => keyOf(index)));
  });

  test(`${kind}: a session of 5,000 messages comes in pages, without gap or repeat`, async () => {
    const door = await start();
    const key = "agent:main:long";
    const messages = Array.from({ length: 5000 }, (_, index) => user(`${index}`));
    await door.say(key, messages);
    expect(await door.session(key)).toMatchObject({ messages: 5001, branches: 1 });
    for (const order of ["asc", "desc"]) {
      const texts: string[] = [];
      for (let after = ""; ; ) {
        const { json } = await door.call("GET", pathOf(key, `/messages?limit=100&order=${order}&after=${after}`));
        texts.push(...json.data.map(({ content }: { content: string }) => content));
        if (!json.has_more) break;
        after = json.last_id;
      }
      const all = [...messages.map(({ content }) => content), "re: 4999"];
      expect(texts).toEqual(order === "asc" ? all : all.toReversed());
    }
  });
}

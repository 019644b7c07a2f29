import { expect, test } from "vitest";
import type { SessionRef, SessionStore, StoredMessage } from "../../src/sessions/store.ts";

export const ref = (key: string, owner = "operator"): SessionRef => ({ owner, key: `agent:main:${key}` });

export const stored = (content: string, more: Partial<StoredMessage> = {}): StoredMessage => ({
  message: { role: "user", content },
  runId: "chatcmpl-1",
  at: 1_764_000_000_000,
  ...more,
});

export const texts = async (store: SessionStore, session: SessionRef) =>
  (await store.read(session)).map(({ message }) => message.content);

/** What every store promises, whatever it keeps its sessions in. `create` makes an empty one. */
export function sessionStoreContract(name: string, create: () => SessionStore | Promise<SessionStore>): void {
  test(`${name}: a session that does not exist is empty`, async () => {
    const store = await create();
    expect(await store.read(ref("a"))).toEqual([]);
    await store.close();
  });

  test(`${name}: what was appended is read, oldest first`, async () => {
    const store = await create();
    await store.append(ref("a"), [stored("1"), stored("2")]);
    await store.append(ref("a"), [stored("3")]);
    expect(await texts(store, ref("a"))).toEqual(["1", "2", "3"]);
    await store.close();
  });

  test(`${name}: a message comes back as it was given`, async () => {
    const store = await create();
    const call = { id: "c", type: "function" as const, function: { name: "f", arguments: "{" } };
    const messages: StoredMessage[] = [
      stored("é 漢 😀 \u0000 \ud800 \r\n"),
      stored("", { message: { role: "user", content: [{ type: "text", text: "part" }] } }),
      stored("", { message: { role: "assistant", content: null, tool_calls: [call] }, aborted: true }),
      stored("", { message: { role: "tool", content: "r", tool_call_id: "c" }, runId: "chatcmpl-2", at: 5 }),
    ];
    await store.append(ref("a"), messages);
    expect(await store.read(ref("a"))).toEqual(messages);
    await store.close();
  });

  test(`${name}: sessions do not see each other, nor owners`, async () => {
    const store = await create();
    const others = [ref("b"), ref("A"), ref("a", "local"), ref("a:"), { owner: "operatoragent:main:a", key: "" }];
    await store.append(ref("a"), [stored("mine")]);
    for (const other of others) expect(await store.read(other)).toEqual([]);
    for (const other of others) await store.append(other, [stored("theirs")]);
    expect(await texts(store, ref("a"))).toEqual(["mine"]);
    await store.close();
  });

  test(`${name}: what was read does not change when more is appended`, async () => {
    const store = await create();
    await store.append(ref("a"), [stored("1")]);
    const before = await store.read(ref("a"));
    await store.append(ref("a"), [stored("2")]);
    expect(before).toHaveLength(1);
    await store.close();
  });

  test(`${name}: what the caller does with its list afterwards is not stored`, async () => {
    const store = await create();
    const mine = [stored("1")];
    await store.append(ref("a"), mine);
    mine.push(stored("2"));
    ((await store.read(ref("a"))) as StoredMessage[]).push(stored("3"));
    expect(await texts(store, ref("a"))).toEqual(["1"]);
    await store.close();
  });

  test(`${name}: what is appended at the same time keeps its order within each call`, async () => {
    const store = await create();
    const pairs = Array.from({ length: 20 }, (_, index) => [stored(`${index}a`), stored(`${index}b`)]);
    await Promise.all(pairs.map((pair) => store.append(ref("a"), pair)));
    const all = await texts(store, ref("a"));
    expect(all).toHaveLength(40);
    for (let index = 0; index < 20; index++) expect(all.indexOf(`${index}b`)).toBe(all.indexOf(`${index}a`) + 1);
    await store.close();
  });
}

import { listPageSchema, sessionBranchSchema, sessionMessageSchema, sessionSchema } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { ask, hi } from "../support/chat.ts";
import { pathOf, startWithSessions, user } from "../support/sessions.ts";

const KEY = "agent:main:trip";

/** A session of two turns, and another answer to its second question. */
async function branched() {
  const door = await startWithSessions();
  await door.say(KEY, [user("one")]);
  await door.say(KEY, [user("two")]);
  const talk = [user("one"), { role: "assistant" as const, content: "re: one" }];
  await door.say(KEY, [...talk, user("other")]);
  const { json } = await door.call("GET", pathOf(KEY, "/branches"));
  const branches = listPageSchema(sessionBranchSchema).parse(json).data;
  const messages = async (query = "") => {
    const page = (await door.call("GET", pathOf(KEY, `/messages${query}`))).json;
    return listPageSchema(sessionMessageSchema).parse(page).data;
  };
  return { ...door, branches, messages };
}

test("the messages are those up to the head, each with its place and its run", async () => {
  const { messages } = await branched();
  const data = await messages();
  expect(data.map(({ content }) => content)).toEqual(["one", "re: one", "other", "re: other"]);
  expect(data.map(({ parent }) => parent)).toEqual([null, ...data.slice(0, -1).map(({ id }) => id)]);
  expect(data[0]).toEqual({
    id: expect.stringMatching(/^msg_/),
    parent: null,
    role: "user",
    content: "one",
    hidden: false,
    run_id: expect.stringMatching(/^chatcmpl-/),
    created_at: expect.any(Number),
  });
  expect(data[0]?.run_id).toBe(data[1]?.run_id);
});

test("tool calls and their results are shown as they were said", async () => {
  const door = await startWithSessions();
  const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
  const messages = [
    { role: "user", content: [{ type: "text", text: "parts" }] },
    { role: "assistant", tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "result" },
  ];
  await ask(door, hi({ messages }), { "x-openclaw-session-key": "tools" });
  const { json } = await door.call("GET", pathOf("agent:main:tools", "/messages"));
  const { data } = listPageSchema(sessionMessageSchema).parse(json);
  expect(data).toMatchObject([
    { role: "user", content: [{ type: "text", text: "parts" }] },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", content: "result", tool_call_id: "c1" },
    { role: "assistant", content: "re: result" },
  ]);
});

test("branches come newest first, and each can be read by its leaf", async () => {
  const { branches, talk, session, messages } = await branched();
  expect(branches).toMatchObject([
    { object: "session.branch", messages: 4, is_head: true },
    { object: "session.branch", messages: 4, is_head: false },
  ]);
  expect(await session(KEY)).toMatchObject({ branches: 2, messages: 6, head: branches[0]?.id });
  expect(await talk(KEY, branches[1]?.id)).toEqual(["one", "re: one", "two", "re: two"]);
  const [first] = await messages();
  expect(await talk(KEY, first?.id)).toEqual(["one"]);
});

test("messages and branches come in pages, both ways", async () => {
  const { call, messages, branches } = await branched();
  const all = (await messages()).map(({ id }) => id);
  for (const order of ["asc", "desc"]) {
    const seen: string[] = [];
    for (let after = ""; ; ) {
      const { json } = await call("GET", pathOf(KEY, `/messages?limit=3&order=${order}&after=${after}`));
      seen.push(...json.data.map(({ id }: { id: string }) => id));
      expect(json).toMatchObject({ first_id: json.data[0].id, last_id: json.data.at(-1).id });
      if (!json.has_more) break;
      after = json.last_id;
    }
    expect(seen).toEqual(order === "asc" ? all : all.toReversed());
  }
  const { json } = await call("GET", pathOf(KEY, "/branches?order=asc&limit=1"));
  expect(json).toMatchObject({ data: [branches[1]], has_more: true });
  const next = await call("GET", pathOf(KEY, `/branches?order=asc&limit=1&after=${json.last_id}`));
  expect(next.json).toMatchObject({ data: [branches[0]], has_more: false });
});

test("who sends only what is new continues where the head was moved to", async () => {
  const { call, branches, say, talk, session } = await branched();
  const other = branches[1]?.id as string;
  const { status, json } = await call("POST", pathOf(KEY, "/head"), { id: other, title: "ignored" });
  expect(status).toBe(200);
  expect(sessionSchema.parse(json)).toMatchObject({ head: other, branches: 2, title: null });
  await say(KEY, [user("three")]);
  expect(await talk(KEY)).toEqual(["one", "re: one", "two", "re: two", "three", "re: three"]);
  expect(await session(KEY)).toMatchObject({ branches: 2, messages: 8 });
});

test("the head can be any message: what comes next begins a branch there", async () => {
  const { call, messages, say, talk, session } = await branched();
  const [one, reOne, other] = await messages();
  await call("POST", pathOf(KEY, "/head"), { id: reOne?.id });
  const { data } = (await call("GET", pathOf(KEY, "/branches"))).json;
  expect(data).toMatchObject([{ is_head: true }, { is_head: true }]);
  await say(KEY, [user("third way")]);
  expect(await talk(KEY)).toEqual(["one", "re: one", "third way", "re: third way"]);
  expect((await session(KEY)).branches).toBe(3);
  // On a question: more is said to it before it is answered.
  await call("POST", pathOf(KEY, "/head"), { id: other?.id });
  await say(KEY, [user("and more")]);
  expect(await talk(KEY)).toEqual(["one", "re: one", "other", "and more", "re: and more"]);
  await call("POST", pathOf(KEY, "/head"), { id: one?.id });
  expect(await talk(KEY)).toEqual(["one"]);
});

test("a fork has the talk up to the head, and lives on its own", async () => {
  const { call, session, talk, say, messages } = await branched();
  await call("PATCH", pathOf(KEY), { title: "Trip" });
  const { status, json } = await call("POST", pathOf(KEY, "/fork"));
  const fork = sessionSchema.parse(json);
  expect(status).toBe(201);
  expect(fork).toMatchObject({ agent: "main", title: "Trip", branches: 1, messages: 4, active_run: null });
  expect(fork.id).toMatch(/^agent:main:fork:[0-9a-f-]{36}$/);
  expect(await session(fork.id)).toEqual(fork);
  expect(await talk(fork.id)).toEqual(["one", "re: one", "other", "re: other"]);
  // The messages are the same ones.
  expect((await call("GET", pathOf(fork.id, "/messages"))).json.data).toEqual(await messages());
  await say(fork.id, [user("three")]);
  expect(await session(KEY)).toMatchObject({ messages: 6, title: "Trip" });
  await call("DELETE", pathOf(KEY));
  expect(await talk(fork.id)).toEqual(["one", "re: one", "other", "re: other", "three", "re: three"]);
});

test("a fork can begin at any message and have a key of its own", async () => {
  const { call, branches, talk, messages, say } = await branched();
  const made = async (body: object) => {
    const { status, json } = await call("POST", pathOf(KEY, "/fork"), body);
    expect(status).toBe(201);
    return json;
  };
  const other = await made({ at: branches[1]?.id, key: "  mine/漢 " });
  expect(other).toMatchObject({ id: "agent:main:mine/漢", head: branches[1]?.id });
  expect(await talk(other.id)).toEqual(["one", "re: one", "two", "re: two"]);
  const [question] = await messages();
  const short = await made({ at: question?.id, key: "agent:main:short", extra: [] });
  expect(short).toMatchObject({ id: "agent:main:short", messages: 1, head: question?.id });
  expect((await made({ at: null, key: null })).id).toMatch(/^agent:main:fork:/);
  expect((await made({})).messages).toBe(4);
  await say(short.id, [user("go on")]);
  expect(await talk(short.id)).toEqual(["one", "go on", "re: go on"]);
});

test("that a session carries history goes with its fork", async () => {
  const { call, say, talk } = await branched();
  const { json } = await call("POST", pathOf(KEY, "/fork"));
  // So a first question that is sent alone asks for another answer, here as there.
  for (const key of [KEY, json.id]) {
    await say(key, [user("one")]);
    expect(await talk(key)).toEqual(["one", "re: one"]);
  }
});

test("two forks under one key at once: one is made", async () => {
  const { call } = await branched();
  const made = await Promise.all([1, 2, 3].map(() => call("POST", pathOf(KEY, "/fork"), { key: "same" })));
  expect(made.map(({ status }) => status).sort()).toEqual([201, 400, 400]);
});

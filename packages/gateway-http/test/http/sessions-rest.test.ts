import { listPageSchema, sessionSchema } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { stepper } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { pathOf, startWithSessions, user } from "../support/sessions.ts";

test("a talk over the endpoint is a session", async () => {
  const door = await startWithSessions();
  await ask(door, hi({ user: "ann" }));
  const session = await door.session("agent:main:openai-user:ann");
  const now = Date.now() / 1000;
  expect(session).toEqual({
    object: "session",
    id: "agent:main:openai-user:ann",
    agent: "main",
    title: null,
    created_at: expect.any(Number),
    updated_at: expect.any(Number),
    head: expect.stringMatching(/^msg_/),
    branches: 1,
    messages: 2,
    active_run: null,
  });
  for (const at of [session.created_at, session.updated_at]) {
    expect(Number.isInteger(at) && Math.abs(now - at) < 60).toBe(true);
  }
  const { json } = await door.call("GET", "/v1/sessions");
  const page = listPageSchema(sessionSchema).parse(json);
  expect(page).toEqual({
    object: "list",
    data: [session],
    first_id: session.id,
    last_id: session.id,
    has_more: false,
  });
});

test("without sessions the list is empty, and stateless talk makes none", async () => {
  const door = await startWithSessions();
  await ask(door, hi());
  const { json } = await door.call("GET", "/v1/sessions");
  expect(json).toEqual({ object: "list", data: [], first_id: null, last_id: null, has_more: false });
});

const KEYS = [
  "agent:main:trip",
  "agent:main:a/b/c",
  "agent:main:x/messages",
  "agent:main:/",
  "agent:main:a//b/",
  "agent:main:100% ?&#+=;,@$!*'()",
  "agent:main:%2F%25",
  "agent:main:Жанна 漢 😀 é é",
  "agent:main:..",
  `agent:main:${"漢".repeat(500)}`,
  "agent:main:__proto__",
];

for (const key of KEYS) {
  test(`the session ${key.slice(0, 40)} is reached under every path`, async () => {
    const { call, say, session } = await startWithSessions();
    await say(key, [user("hi")]);
    const { head } = await session(key);
    for (const rest of ["/messages", "/branches"]) {
      const { status, json } = await call("GET", pathOf(key, rest));
      expect([status, json.data?.at(-1)?.id], rest).toEqual([200, head]);
    }
    expect((await call("PATCH", pathOf(key), { title: "T" })).json).toMatchObject({ id: key, title: "T" });
    expect((await call("POST", pathOf(key, "/head"), { id: head })).json).toMatchObject({ id: key, head });
    expect((await call("POST", pathOf(key, "/fork"))).json).toMatchObject({ title: "T", head });
    expect((await call("POST", pathOf(key, "/abort"))).json).toEqual({ aborted: null });
    expect((await call("GET", `/v1/sessions?after=${encodeURIComponent(key)}`)).status).toBe(200);
    expect((await call("GET", `/v1/sessions?search=${encodeURIComponent(key)}`)).json.data).toHaveLength(1);
    expect((await call("DELETE", pathOf(key))).json).toEqual({ object: "session.deleted", id: key, deleted: true });
    expect((await call("GET", pathOf(key))).status).toBe(404);
  });
}

test("where nothing follows the key its slashes may be raw", async () => {
  const { call, say } = await startWithSessions();
  await say("agent:main:a/b/c", [user("hi")]);
  expect((await call("GET", "/v1/sessions/agent:main:a/b/c")).json).toMatchObject({ id: "agent:main:a/b/c" });
  expect((await call("PATCH", "/v1/sessions/agent:main:a/b/c/", { title: "x" })).json).toMatchObject({ title: "x" });
  expect((await call("DELETE", "/v1//sessions/agent:main:a/b/c")).json).toMatchObject({ deleted: true });
});

test("a title is trimmed, kept, and taken away again", async () => {
  const { call, say, session } = await startWithSessions();
  const key = "agent:main:trip";
  await say(key, [user("hi")]);
  const titled = async (title: unknown) => {
    const { json } = await call("PATCH", pathOf(key), { title, agent: "other", head: 5 });
    expect(sessionSchema.parse(json)).toEqual(await session(key));
    return json.title;
  };
  expect(await titled("  Ferien 漢 😀 \n")).toBe("Ferien 漢 😀");
  await say(key, [user("more")]);
  expect((await session(key)).title).toBe("Ferien 漢 😀");
  expect(await titled("x".repeat(200))).toHaveLength(200);
  expect(await titled(null)).toBeNull();
  expect(await titled("   ")).toBeNull();
});

test("a deleted session is gone, and its key begins anew", async () => {
  const { call, say, session } = await startWithSessions();
  const key = "agent:main:trip";
  await say(key, [user("hi")]);
  // With and without the header that many clients send each time.
  expect((await call("DELETE", pathOf(key), undefined, { "content-type": "application/json" })).status).toBe(200);
  expect((await call("DELETE", pathOf(key))).status).toBe(404);
  expect((await call("GET", "/v1/sessions")).json.data).toEqual([]);
  await say(key, [user("again")]);
  expect(await session(key)).toMatchObject({ messages: 2, title: null });
});

test("while a run is active the session says so, and is neither deleted nor moved; abort ends it", async () => {
  const { agent, started, say, aborted } = stepper();
  const door = await startWithSessions({ agents: [agent] });
  const { call, refused, session } = door;
  const key = "agent:main:openai-user:ann";
  const asking = ask(door, hi({ user: "ann" }));
  await started;
  say("half");
  const busy = await session(key);
  expect(busy).toMatchObject({ head: null, messages: 1, branches: 1, active_run: expect.stringMatching(/^chatcmpl-/) });
  expect((await call("GET", "/v1/sessions")).json.data).toEqual([busy]);
  const [branch] = (await call("GET", pathOf(key, "/branches"))).json.data;
  expect(branch).toMatchObject({ messages: 1, is_head: false });
  expect(await refused("DELETE", pathOf(key))).toBe("session_busy key");
  expect(await refused("POST", pathOf(key, "/head"), { id: branch.id })).toBe("session_busy key");
  expect((await call("DELETE", pathOf(key))).headers.get("x-should-retry")).toBe("true");
  expect((await call("PATCH", pathOf(key), { title: "T" })).json).toMatchObject({ active_run: busy.active_run });

  expect((await call("POST", pathOf(key, "/abort"))).json).toEqual({ aborted: busy.active_run });
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  const { status, json } = await asking;
  expect([status, json.error.code]).toEqual([409, "run_aborted"]);
  expect((await call("POST", pathOf(key, "/abort"))).json).toEqual({ aborted: null });
  expect(await session(key)).toMatchObject({ active_run: null, messages: 2 });
  // Nobody has read it, so the head stays where it was.
  const [end] = (await call("GET", pathOf(key, "/branches"))).json.data;
  const { data } = (await call("GET", `${pathOf(key, "/messages")}?leaf=${end.id}`)).json;
  expect(data.at(-1)).toMatchObject({ role: "assistant", content: "half", aborted: true, run_id: busy.active_run });
  expect((await call("DELETE", pathOf(key))).status).toBe(200);
});

import { expect, test, vi } from "vitest";
import type { Client } from "../src/index.ts";
import { failureOf, scripted } from "./support/client.ts";
import { error } from "./support/wire.ts";

const KEY = "agent:main:Zürich/1 %";
const PATH = "agent%3Amain%3AZ%C3%BCrich%2F1%20%25";

type Row = [name: string, ask: (client: Client) => Promise<unknown>, method: string, path: string, body?: unknown];

const ROWS: Row[] = [
  ["sessions.list", ({ sessions }) => sessions.list(), "GET", "/sessions"],
  [
    "sessions.list with all",
    ({ sessions }) => sessions.list({ agent: "main", search: "a b&c", after: KEY, limit: 5, order: "asc" }),
    "GET",
    "/sessions?agent=main&search=a+b%26c&after=agent%3Amain%3AZ%C3%BCrich%2F1+%25&limit=5&order=asc",
  ],
  ["sessions.list with nothing", ({ sessions }) => sessions.list({ agent: undefined }), "GET", "/sessions"],
  ["sessions.retrieve", ({ sessions }) => sessions.retrieve(KEY), "GET", `/sessions/${PATH}`],
  [
    "sessions.update",
    ({ sessions }) => sessions.update(KEY, { title: "T" }),
    "PATCH",
    `/sessions/${PATH}`,
    { title: "T" },
  ],
  ["sessions.delete", ({ sessions }) => sessions.delete(KEY), "DELETE", `/sessions/${PATH}`],
  ["sessions.messages", ({ sessions }) => sessions.messages(KEY), "GET", `/sessions/${PATH}/messages`],
  [
    "sessions.messages of a branch",
    ({ sessions }) => sessions.messages(KEY, { leaf: "m1", after: "m0", limit: 1, order: "desc" }),
    "GET",
    `/sessions/${PATH}/messages?leaf=m1&after=m0&limit=1&order=desc`,
  ],
  ["sessions.branches", ({ sessions }) => sessions.branches(KEY), "GET", `/sessions/${PATH}/branches`],
  [
    "sessions.branches, a page of them",
    ({ sessions }) => sessions.branches(KEY, { after: "m1", limit: 2 }),
    "GET",
    `/sessions/${PATH}/branches?after=m1&limit=2`,
  ],
  ["sessions.setHead", ({ sessions }) => sessions.setHead(KEY, "m1"), "POST", `/sessions/${PATH}/head`, { id: "m1" }],
  ["sessions.fork", ({ sessions }) => sessions.fork(KEY), "POST", `/sessions/${PATH}/fork`, {}],
  [
    "sessions.fork of a message to a key",
    ({ sessions }) => sessions.fork(KEY, { at: "m1", key: "new" }),
    "POST",
    `/sessions/${PATH}/fork`,
    { at: "m1", key: "new" },
  ],
  ["sessions.abort", ({ sessions }) => sessions.abort(KEY), "POST", `/sessions/${PATH}/abort`, {}],
  ["completions.list", ({ chat }) => chat.completions.list(), "GET", "/chat/completions"],
  [
    "completions.list with all",
    ({ chat }) =>
      chat.completions.list({
        model: "m",
        metadata: { topic: "a", "odd key": "b=c" },
        after: "c1",
        limit: 2,
        order: "desc",
      }),
    "GET",
    "/chat/completions?model=m&metadata%5Btopic%5D=a&metadata%5Bodd+key%5D=b%3Dc&after=c1&limit=2&order=desc",
  ],
  ["completions.retrieve", ({ chat }) => chat.completions.retrieve("c/1"), "GET", "/chat/completions/c%2F1"],
  [
    "completions.update",
    ({ chat }) => chat.completions.update("c1", { metadata: { a: "b" } }),
    "POST",
    "/chat/completions/c1",
    { metadata: { a: "b" } },
  ],
  ["completions.delete", ({ chat }) => chat.completions.delete("c1"), "DELETE", "/chat/completions/c1"],
  [
    "completions.messages",
    ({ chat }) => chat.completions.messages("c1", { after: "c1-0", limit: 3, order: "asc" }),
    "GET",
    "/chat/completions/c1/messages?after=c1-0&limit=3&order=asc",
  ],
];

test.each(ROWS)("%s", async (_, ask, method, path, body) => {
  const { client, requests } = scripted(Response.json({ id: "x" }));
  expect(await ask(client)).toEqual({ id: "x" });
  expect(requests).toHaveLength(1);
  const [{ url, init }] = requests as [(typeof requests)[0]];
  expect(url).toBe(`http://gateway.test/v1${path}`);
  expect(init.method).toBe(method);
  expect(init.body && JSON.parse(init.body as string)).toEqual(body);
  expect(new Headers(init.headers).get("content-type")).toBe(body ? "application/json" : null);
  expect(new Headers(init.headers).has("idempotency-key")).toBe(false);
});

test.each(ROWS)("%s fails as the gateway says", async (_, ask) => {
  const { client } = scripted(Response.json(error("not_found", "No such thing."), { status: 404 }));
  expect(await failureOf(ask(client))).toMatchObject({
    name: "APIError",
    status: 404,
    code: "not_found",
    message: "No such thing.",
  });
});

const ONCE = new Set(["sessions.fork", "sessions.abort"]);

test.each(ROWS)("%s is sent again when that does no harm", async (name, ask) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const ok = Response.json({ id: "x" });
    const cut = Response.json({ id: "x" }).text();
    const half = new Response((await cut).slice(0, 4), { headers: { "content-type": "application/json" } });
    const failures: [Response | Error, boolean][] = [
      [new TypeError("fetch failed"), !ONCE.has(name)],
      [half, !ONCE.has(name)],
      [new Response("", { status: 502 }), !ONCE.has(name)],
      [Response.json({}, { status: 502, headers: { "x-should-retry": "true" } }), true],
      [Response.json({}, { status: 502, headers: { "x-should-retry": "false" } }), false],
      [Response.json(error("rate_limit_exceeded"), { status: 429 }), true],
      [Response.json(error("gateway_draining"), { status: 503 }), true],
    ];
    for (const [failure, again] of failures) {
      const { client, requests } = scripted(failure, ok);
      const outcome = ask(client).catch(() => "failed");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await outcome).toEqual(again ? { id: "x" } : "failed");
      expect(requests).toHaveLength(again ? 2 : 1);
    }
  } finally {
    vi.useRealTimers();
  }
});

test("what would name something else is not sent", async () => {
  const { client, requests } = scripted(Response.json({}));
  for (const id of ["", ".", "..", "\ud800"]) {
    for (const ask of [client.sessions.retrieve, client.sessions.delete, client.chat.completions.retrieve]) {
      expect(await failureOf(ask(id))).toMatchObject({
        name: "OpenClawError",
        message: expect.stringMatching(/^A key or id /),
      });
    }
  }
  expect(requests).toHaveLength(0);
});

test("a key that is missing names nothing, least of all the session undefined", async () => {
  const { client, requests } = scripted(Response.json({}));
  const failure = await failureOf((async () => client.sessions.delete(undefined as unknown as string))());
  expect(failure).toMatchObject({ name: "OpenClawError", message: expect.stringContaining("must not be empty") });
  expect(requests).toEqual([]);
});

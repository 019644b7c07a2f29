import { listPageSchema, sessionMessageSchema } from "@openclaw/protocol";
import { expect, onTestFinished, test } from "vitest";
import { LOCAL } from "../../src/auth/caller.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { createApp } from "../../src/http/app.ts";
import { setCaller } from "../../src/http/caller.ts";
import { addSessionRoutes } from "../../src/http/routes/sessions.ts";
import type { Runs } from "../../src/runs/runs.ts";
import { createMemoryStore } from "../../src/sessions/memory-store.ts";
import { entry } from "../sessions/store-contract.ts";
import { pathOf } from "../support/sessions.ts";

const KEY = "agent:main:trip";
const call = { id: "c1", type: "function" as const, function: { name: "search", arguments: "{}" } };
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };

/** The routes over a store in which an agent's own steps are kept, and a caller whose name is a header. */
async function withSteps() {
  const sessions = createMemoryStore({ maxEntries: 10, pruneAfterMs: 1e12 });
  const entries = [
    entry("question"),
    entry("call", "question", { hidden: true, message: { role: "assistant", content: null, tool_calls: [call] } }),
    entry("result", "call", { hidden: true, message: { role: "tool", content: "found", tool_call_id: "c1" } }),
    entry("answer", "result", { message: { role: "assistant", content: "done" }, usage, at: 1_764_000_001_999 }),
  ];
  await sessions.append({ owner: "ann", key: KEY }, { agent: "main", entries, head: "answer" });
  const app = createApp({
    http: () => parseConfig({}).config.gateway.http,
    guardOrigin: false,
    onBug: (error) => expect(error).toBe(0),
  });
  const between: Runs["between"] = (_, work) => work();
  const runs = { findInSession: () => undefined, between } as unknown as Runs;
  const authenticate = async (request: Parameters<typeof setCaller>[0]) =>
    setCaller(request, { ...LOCAL, owner: String(request.headers["x-test-owner"] ?? "ann") });
  addSessionRoutes(app, authenticate, { sessions, runs });
  onTestFinished(() => app.close());
  return {
    sessions,
    async ask(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, payload?: object, owner = "ann") {
      const response = await app.inject({
        method,
        url: path,
        headers: { "x-test-owner": owner },
        ...(payload && { payload }),
      });
      return { status: response.statusCode, json: response.json() };
    },
  };
}

test("an agent's own steps are shown at their places, and marked", async () => {
  const { ask } = await withSteps();
  const { json } = await ask("GET", pathOf(KEY, "/messages"));
  const { data } = listPageSchema(sessionMessageSchema).parse(json);
  expect(data.map(({ id, hidden }) => [id, hidden])).toEqual([
    ["question", false],
    ["call", true],
    ["result", true],
    ["answer", false],
  ]);
  expect(data[1]).toMatchObject({ parent: "question", content: null, tool_calls: [call] });
  expect(data[2]).toMatchObject({ parent: "call", role: "tool", content: "found", tool_call_id: "c1" });
  expect(data[3]).toMatchObject({ usage, created_at: 1_764_000_001 });
  expect((await ask("GET", pathOf(KEY))).json).toMatchObject({ messages: 2, branches: 1 });
  expect((await ask("GET", pathOf(KEY, "/branches"))).json.data).toMatchObject([{ id: "answer", messages: 2 }]);
  expect((await ask("GET", pathOf(KEY, "/messages?leaf=call"))).json.data).toHaveLength(2);
});

test("no talk goes on from an agent's own step", async () => {
  const { ask, sessions } = await withSteps();
  for (const [rest, param] of [
    ["/head", "id"],
    ["/fork", "at"],
  ] as const) {
    const { status, json } = await ask("POST", pathOf(KEY, rest), { [param]: "result" });
    expect([status, json.error.code, json.error.param]).toEqual([404, "not_found", param]);
  }
  expect(await sessions.list({ owner: "ann", limit: 10 })).toHaveLength(1);
  const { json } = await ask("POST", pathOf(KEY, "/fork"), { key: "copy" });
  expect(json).toMatchObject({ messages: 2, head: "answer" });
  const copy = await sessions.read({ owner: "ann", key: "agent:main:copy" });
  const original = await sessions.read({ owner: "ann", key: KEY });
  expect([...(copy?.entries() ?? [])]).toEqual([...(original?.entries() ?? [])]);
});

test("each owner has sessions of its own under the same key", async () => {
  const { ask, sessions } = await withSteps();
  await sessions.append({ owner: "bob", key: KEY }, { agent: "main", entries: [entry("bob's")], head: "bob's" });
  expect((await ask("GET", "/v1/sessions?limit=1", undefined, "bob")).json.data).toMatchObject([{ head: "bob's" }]);
  expect((await ask("GET", pathOf(KEY, "/messages?leaf=answer"), undefined, "bob")).status).toBe(404);
  expect((await ask("POST", pathOf(KEY, "/head"), { id: "answer" }, "bob")).status).toBe(404);
  expect((await ask("PATCH", pathOf(KEY), { title: "Bob's" }, "bob")).status).toBe(200);
  expect((await ask("DELETE", pathOf(KEY), undefined, "bob")).status).toBe(200);
  expect((await ask("GET", pathOf(KEY))).json).toMatchObject({ title: null, head: "answer" });
  expect((await ask("GET", "/v1/sessions", undefined, "carl")).json.data).toEqual([]);
});

import { expect, test } from "vitest";
import type { Client, ResponsePromise } from "../src/index.ts";
import { BASE_URL, failureOf, hi, makeClient } from "./support/client.ts";
import { runNode } from "./support/run-node.ts";
import { error, HELLO, SSE } from "./support/wire.ts";

const CALLS: [string, (client: Client) => ResponsePromise<unknown>][] = [
  ["chat.completions.create", ({ chat }) => chat.completions.create(hi)],
  ["chat.completions.list", ({ chat }) => chat.completions.list({ limit: 1 })],
  ["chat.completions.retrieve", ({ chat }) => chat.completions.retrieve("c")],
  ["chat.completions.update", ({ chat }) => chat.completions.update("c", { metadata: null })],
  ["chat.completions.delete", ({ chat }) => chat.completions.delete("c")],
  ["chat.completions.messages", ({ chat }) => chat.completions.messages("c")],
  ["models.list", ({ models }) => models.list()],
  ["models.retrieve", ({ models }) => models.retrieve("openclaw")],
  ["sessions.list", ({ sessions }) => sessions.list()],
  ["sessions.retrieve", ({ sessions }) => sessions.retrieve("k")],
  ["sessions.update", ({ sessions }) => sessions.update("k", { title: null })],
  ["sessions.delete", ({ sessions }) => sessions.delete("k")],
  ["sessions.messages", ({ sessions }) => sessions.messages("k")],
  ["sessions.branches", ({ sessions }) => sessions.branches("k")],
  ["sessions.setHead", ({ sessions }) => sessions.setHead("k", "m")],
  ["sessions.fork", ({ sessions }) => sessions.fork("k", { key: "l" })],
  ["sessions.abort", ({ sessions }) => sessions.abort("k")],
];

test("these are all calls there are", () => {
  const { chat, models, sessions } = makeClient();
  const names = Object.entries({ "chat.completions": chat.completions, models, sessions }).flatMap(([name, calls]) =>
    Object.keys(calls).map((call) => `${name}.${call}`),
  );
  expect(CALLS.map(([name]) => name).sort()).toEqual(names.sort());
});

test.each(CALLS)("%s has its response at hand", async (_, call) => {
  let sent = 0;
  const client = makeClient({
    fetch: async () => Response.json({ id: ++sent }, { status: 201, headers: { "x-request-id": "req-1" } }),
  });
  const { data, response } = await call(client).withResponse();
  expect(data).toEqual({ id: 1 });
  expect(response).toMatchObject({ status: 201, bodyUsed: true });
  expect(response.headers.get("x-request-id")).toBe("req-1");

  const promise = call(client);
  expect(promise).toBeInstanceOf(Promise);
  expect(await promise).toEqual({ id: 2 });
  expect((await promise.withResponse()).data).toBe(await promise);
  expect(sent).toBe(2);
});

test.each(CALLS)("%s fails alike with it and without", async (_, call) => {
  let sent = 0;
  const client = makeClient({
    maxRetries: 0,
    fetch: async () => {
      sent++;
      return Response.json(error("not_found"), { status: 404 });
    },
  });
  const promise = call(client);
  const failure = await failureOf(promise.withResponse());
  expect(failure).toMatchObject({ name: "APIError", status: 404, code: "not_found" });
  expect(await failureOf(promise)).toBe(failure);
  expect(sent).toBe(1);
});

test("a stream's response is the stream's to read", async () => {
  const client = makeClient({ fetch: async () => new Response(HELLO, { headers: { ...SSE, "x-other": "1" } }) });
  const { data: stream, response } = await client.chat.completions.create({ ...hi, stream: true }).withResponse();
  expect(response.bodyUsed).toBe(false);
  expect(response.headers.get("x-other")).toBe("1");
  expect(await stream.text()).toBe("Hello");
  expect(response.bodyUsed).toBe(true);
});

test("it is the response of the attempt that succeeded", async () => {
  let sent = 0;
  const client = makeClient({
    fetch: async () =>
      sent++ === 0
        ? new Response("", { status: 503, headers: { "retry-after-ms": "0" } })
        : Response.json({}, { headers: { "x-attempt": "2" } }),
  });
  const { response } = await client.models.list().withResponse();
  expect(response.headers.get("x-attempt")).toBe("2");
});

test("misuse is a rejection, too", async () => {
  const promise = makeClient().sessions.retrieve("");
  expect(await failureOf(promise.withResponse())).toMatchObject({ name: "OpenClawError" });
  expect(await failureOf(promise)).toMatchObject({ name: "OpenClawError" });
  const create = makeClient().chat.completions.create(hi, { idempotencyKey: "" });
  expect(await failureOf(create.withResponse())).toMatchObject({ name: "OpenClawError" });
});

test("a failure that was caught once is nowhere unhandled; one that was not caught is", async () => {
  const script = (ways: string) => `
    import { createClient } from CLIENT;
    const client = createClient({ baseUrl: "${BASE_URL}", maxRetries: 0, fetch: async () => { throw new Error("no"); } });
    const params = { messages: [{ role: "user", content: "hi" }] };
    const calls = [
      () => client.models.list(),
      () => client.sessions.list(),
      () => client.chat.completions.create(params),
      () => client.chat.completions.create({ ...params, stream: true }),
    ];
    const names = [];
    const note = (error) => names.push(error.name);
    const settle = () => new Promise((resolve) => setTimeout(resolve));
    process.on("uncaughtException", (error) => names.push("unhandled " + error.name));
    for (const call of calls) {
      ${ways}
      await settle();
    }
    console.log(names.join());
  `;
  const times = (name: string, count: number) => `${Array(count).fill(name).join()}\n`;
  const caught = `
    await call().catch(note);
    await call().withResponse().catch(note);
    const promise = call();
    await promise.withResponse().catch(note);
    await settle();
    await promise.catch(note);
    const both = call();
    await Promise.all([both.catch(note), both.withResponse().catch(note)]);
    const late = call();
    await late.catch(note);
    await settle();
    await late.withResponse().catch(note);
  `;
  expect(await runNode(script(caught))).toBe(times("ConnectionError", 4 * 8));
  expect(await runNode(script("void call();"))).toBe(times("unhandled ConnectionError", 4));
  expect(await runNode(script("void call().withResponse();"))).toBe(times("unhandled ConnectionError", 4));
}, 60_000);

import { storedCompletionSchema, storedMessageSchema } from "@openclaw/protocol";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { GatewayError } from "../../src/index.ts";
import { agentOf, sayer } from "../support/agents.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

const stored = (more: object = {}) => hi({ store: true, ...more });

async function start(options: StartOptions = {}) {
  const door = await startGateway({ agents: [sayer("hello")], store: "sqlite", ...options });
  const openai = new OpenAI({ baseURL: `${door.url}/v1`, apiKey: TOKEN, maxRetries: 0 });
  return { ...door, openai };
}

const kinds: [string, StartOptions][] = [
  ["sqlite", {}],
  ["memory", { config: { sessions: { store: { kind: "memory" } } } }],
];

test.each(kinds)("the openai package keeps, finds, changes and deletes completions (%s)", async (_kind, options) => {
  const { openai } = await start(options);
  const made = await openai.chat.completions.create({
    model: "openclaw",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "hi" }], name: "ann" },
    ],
    store: true,
    metadata: { topic: "trip" },
    temperature: 0.5,
    seed: 7,
    user: "ann",
  });
  const found = await openai.chat.completions.retrieve(made.id);
  expect(storedCompletionSchema.parse(found)).toMatchObject({
    ...made,
    metadata: { topic: "trip" },
    input_user: "ann",
    temperature: 0.5,
    top_p: null,
    seed: 7,
    tools: null,
  });
  const updated = await openai.chat.completions.update(made.id, { metadata: { topic: "work", by: "ann" } });
  expect(updated).toMatchObject({ id: made.id, metadata: { topic: "work", by: "ann" } });
  expect((await openai.chat.completions.list({ metadata: { topic: "work" } })).data.map(({ id }) => id)).toEqual([
    made.id,
  ]);
  expect((await openai.chat.completions.list({ metadata: { topic: "trip" } })).data).toEqual([]);
  const messages = await openai.chat.completions.messages.list(made.id);
  for (const message of messages.data) storedMessageSchema.parse(message);
  expect(messages.data).toEqual([
    { id: `${made.id}-0`, role: "system", content: "Be brief.", name: null, content_parts: null },
    { id: `${made.id}-1`, role: "user", content: null, name: "ann", content_parts: [{ type: "text", text: "hi" }] },
  ]);
  expect(await openai.chat.completions.delete(made.id)).toEqual({
    object: "chat.completion.deleted",
    id: made.id,
    deleted: true,
  });
  await expect(openai.chat.completions.retrieve(made.id)).rejects.toMatchObject({ status: 404, code: "not_found" });
  await expect(openai.chat.completions.delete(made.id)).rejects.toMatchObject({ status: 404 });
});

test.each(kinds)("the list pages in both orders, by model, without gaps (%s)", async (_kind, options) => {
  const { openai, ...door } = await start(options);
  const ids: string[] = [];
  for (let index = 0; index < 25; index++) {
    ids.push((await ask(door, stored({ model: index % 5 === 0 ? "openclaw:main" : "openclaw" }))).json.id);
  }
  const all = [];
  for await (const { id } of openai.chat.completions.list({ limit: 10 })) all.push(id);
  expect(all).toEqual(ids);
  const backwards = [];
  for await (const { id } of openai.chat.completions.list({ limit: 7, order: "desc" })) backwards.push(id);
  expect(backwards).toEqual(ids.toReversed());
  const page = (await openai.chat.completions.list({ model: "openclaw:main", limit: 3 })) as unknown as object;
  expect(page).toMatchObject({ data: [{ id: ids[0] }, { id: ids[5] }, { id: ids[10] }], has_more: true });
});

test("a streamed completion is kept at its finish, also with a session and under a key, and survives a restart", async () => {
  const { openai, ...door } = await start();
  const ids = [];
  for (const [body, headers] of [
    [stored(), {}],
    [stored({ user: "ann" }), {}],
    [stored(), { "idempotency-key": "k" }],
    [stored(), { "idempotency-key": "k" }],
  ] as const) {
    ids.push((await askStream(door, body, headers)).chunks[0]?.id);
  }
  await door.gateway.close();
  const next = await start({ stateDir: door.stateDir });
  const list = await next.openai.chat.completions.list();
  expect(list.data.map(({ id }) => id)).toEqual([...new Set(ids)]);
  expect(list.data.map(({ choices }) => choices[0]?.message.content)).toEqual(["hello", "hello", "hello"]);
});

test("nothing is kept unasked, nor what failed or was cut short", async () => {
  const failing = agentOf(async function* () {
    yield "half";
    throw new GatewayError("provider_overloaded", "busy");
  });
  const { openai, ...door } = await start({ agents: [failing] });
  await ask(door, stored());
  await askStream(door, stored());
  await ask(await start(), hi({ store: false }));
  expect((await openai.chat.completions.list()).data).toEqual([]);
});

const bad: [string, string, object | undefined, number, string, string][] = [
  ["GET", "?limit=0", undefined, 400, "invalid_value", "limit"],
  ["GET", "?limit=101", undefined, 400, "invalid_value", "limit"],
  ["GET", "?order=up", undefined, 400, "invalid_value", "order"],
  ["GET", "?after=chatcmpl-nobody", undefined, 400, "invalid_value", "after"],
  ["GET", "/chatcmpl-nobody", undefined, 404, "not_found", "id"],
  ["GET", "/chatcmpl-nobody/messages", undefined, 404, "not_found", "id"],
  ["POST", "/chatcmpl-nobody", { metadata: {} }, 404, "not_found", "id"],
  ["POST", "/chatcmpl-nobody", {}, 400, "invalid_type", "metadata"],
  ["POST", "/chatcmpl-nobody", { metadata: { a: 1 } }, 400, "invalid_type", "metadata.a"],
  ["POST", "/chatcmpl-nobody", { metadata: { a: "x".repeat(513) } }, 400, "invalid_value", "metadata.a"],
  ["DELETE", "/chatcmpl-nobody", undefined, 404, "not_found", "id"],
];

test.each(bad)("%s /v1/chat/completions%s %j is %i %s", async (method, path, body, status, code, param) => {
  const door = await start();
  const response = await door.request(`/v1/chat/completions${path}`, { method, ...(body && { body }) });
  expect([response.status, await response.json()]).toMatchObject([status, { error: { code, param } }]);
});

test("another owner's completions do not exist", async () => {
  const door = await startGateway({ agents: [sayer("hi")], config: { gateway: { auth: { mode: "none" } } } });
  const { json } = await ask(door, stored());
  await door.gateway.close();
  const { openai } = await start({ stateDir: door.stateDir });
  expect((await openai.chat.completions.list()).data).toEqual([]);
  await expect(openai.chat.completions.retrieve(json.id)).rejects.toMatchObject({ status: 404 });
  await expect(openai.chat.completions.delete(json.id)).rejects.toMatchObject({ status: 404 });
  await expect(openai.chat.completions.list({ after: json.id })).rejects.toMatchObject({ status: 400 });
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { defineAgent } from "@openclaw/gateway-http";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createClient, isOpenClawError } from "../../src/index.ts";
import { OutputError, withOutput } from "../../src/output/index.ts";
import { withTools } from "../../src/tools/index.ts";
import { failureOf, TOKEN } from "../support/client.ts";
import { type Saying, startGateway, startScripted } from "../support/scripted-gateway.ts";
import { DONE, delta, finish, frame, HEAD } from "../support/wire.ts";

const messages = [{ role: "user" as const, content: "Paris in numbers" }];
const city = z.object({ river: z.string(), people: z.number() });
const PARIS = '{"river":"Seine","people":2100000}';

async function start(...says: Saying[]) {
  const { client, turns } = await startScripted(says);
  return { client: withOutput(client), turns };
}

test("an answer is asked for by the schema, and checked", async () => {
  const { client, turns } = await start({ text: PARIS });
  const completion = await client.chat.completions.create({ messages, output: city });
  expect(completion.output).toEqual({ river: "Seine", people: 2_100_000 });
  expect(completion.choices[0]?.message.content).toBe(PARIS);
  expect(turns[0]?.params.response_format).toMatchObject({
    type: "json_schema",
    json_schema: { name: "output", schema: { type: "object", required: ["river", "people"] } },
  });
  expect(JSON.stringify(turns[0]?.params.response_format)).not.toMatch(/\$schema|strict/);
  const { data, response } = await client.chat.completions.create({ messages, output: city }).withResponse();
  expect([data.output.river, response.status]).toEqual(["Seine", 200]);
});

test("name, strict and a JSON Schema by hand", async () => {
  const { client, turns } = await start({ text: PARIS });
  const jsonSchema = { type: "object", title: "By hand" };
  const schema = v.object({ river: v.string() });
  const output = { schema, jsonSchema, name: "city", strict: true };
  expect((await client.chat.completions.create({ messages, output })).output).toEqual({ river: "Seine" });
  expect(turns[0]?.params.response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "city", strict: true, schema: jsonSchema },
  });
});

test("what the schema makes of it is what comes, also when that takes a while", async () => {
  const { client } = await start({ text: '{"at":"2026-01-02","tags":"a,b"}' });
  const output = z.object({
    at: z.string().transform((text) => new Date(text)),
    tags: z
      .string()
      .refine(async (text) => text !== "")
      .transform((text) => text.split(",")),
  });
  const made = { at: new Date("2026-01-02"), tags: ["a", "b"] };
  expect((await client.chat.completions.create({ messages, output })).output).toEqual(made);
  const stream = await client.chat.completions.create({ messages, output, stream: true });
  const parts: unknown[] = [];
  for await (const part of stream.partials()) parts.push(part);
  expect(parts.at(-1)).toEqual({ at: "2026-01-02", tags: "a,b" });
  expect(await stream.output()).toEqual(made);
});

test("a stream is checked once, whoever asks, before, beside and after the loop", async () => {
  const { client } = await start({ text: PARIS });
  let checks = 0;
  const output = city.refine(() => ++checks);
  const open = () => client.chat.completions.create({ messages, output, stream: true });
  const value = JSON.parse(PARIS);
  const first = await open();
  expect(await Promise.all([first.output(), first.output(), first.text()])).toEqual([value, value, PARIS]);
  await expect(first.partials().next()).rejects.toThrow("has been read");
  expect(checks).toBe(1);

  const beside = await open();
  const parts = beside.partials();
  await parts.next();
  const later = beside.output();
  for await (const _ of parts);
  expect(await later).toEqual(value);
  expect(await beside.output()).toEqual(value);
  expect(beside.sessionKey).toEqual(expect.any(String));

  const looped = await open();
  let text = "";
  for await (const { choices } of looped) text += choices[0]?.delta.content ?? "";
  expect([text, await looped.output()]).toEqual([PARIS, value]);
});

/** The frames of a stream with an answer in these pieces, of no real gateway. */
function streamOf(pieces: readonly string[], end = finish() + DONE) {
  const body = pieces.map((content) => delta({ content })).join("") + end;
  const fetch = async () => new Response(body, { headers: { "content-type": "text/event-stream" } });
  const client = withOutput(createClient({ baseUrl: "http://gateway.test", fetch, maxRetries: 0 }));
  return client.chat.completions.create({ messages, output: z.looseObject({}), stream: true });
}

test("parts of an answer grow", async () => {
  const parts: unknown[] = [];
  for await (const part of (await streamOf(PARIS.match(/.{1,6}/g) ?? [])).partials()) parts.push(part);
  expect(parts).toEqual([{}, { river: "Se" }, { river: "Seine" }, { river: "Seine", people: 2_100_000 }]);
});

test("of a long answer not every character is a part of its own", async () => {
  const text = JSON.stringify({ text: "x".repeat(16 * 1024) });
  const stream = await streamOf(text.split(""));
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  let last: { text?: string } = {};
  let parts = 0;
  for await (const part of stream.partials()) {
    parts++;
    last = part;
  }
  const read = parse.mock.calls.map(([given]) => given).filter((given) => given.startsWith('{"text"'));
  expect(last).toEqual(JSON.parse(text));
  expect(parts).toBeGreaterThan(100);
  expect(read.length).toBeLessThan(1_000);
  // Each is longer than the one before by a part of it: all together they are so many times the last.
  expect(read.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(100 * text.length);
});

test("a number at the very end is whole only where the answer is", async () => {
  const read = async (end: string) => {
    const parts: unknown[] = [];
    for await (const part of (await streamOf(["1", "2"], end)).partials()) parts.push(part);
    return parts;
  };
  expect(await read(finish() + DONE)).toEqual([12]);
  expect(await read(finish("length") + DONE)).toEqual([]);
});

test("text that is not JSON has no parts", async () => {
  const stream = await streamOf(["Sure: ", PARIS]);
  for await (const part of stream.partials()) expect.fail(`There is ${JSON.stringify(part)}`);
  expect(await failureOf(stream.output())).toMatchObject({ reason: "not-json" });
});

test("leaving the parts ends the request", async () => {
  const stream = await streamOf(PARIS.match(/.{1,8}/g) ?? []);
  for await (const _ of stream.partials()) break;
  expect(await failureOf(stream.output())).toMatchObject({ name: "AbortError" });
});

test("an error in the midst of a stream is that of the parts and of the output", async () => {
  const stream = await streamOf(['{"river":"Sei'], frame({ error: { message: "No more.", code: "server_error" } }));
  const parts: unknown[] = [];
  const reading = async () => {
    for await (const part of stream.partials()) parts.push(part);
  };
  const failure = await failureOf(reading());
  expect(failure).toMatchObject({ name: "APIError", message: "No more." });
  expect(parts).toEqual([{ river: "Sei" }]);
  expect(await failureOf(stream.output())).toBe(failure);
});

test("an abort ends the answer", async () => {
  const { client } = await start({ text: PARIS });
  const options = { signal: AbortSignal.abort() };
  const ask = (stream: boolean) => client.chat.completions.create({ messages, output: city, stream }, options);
  expect(await failureOf(ask(false))).toMatchObject({ name: "AbortError" });
  expect(await failureOf(ask(true))).toMatchObject({ name: "AbortError" });
});

test.each<[OutputError["reason"], Saying, RegExp]>([
  ["incomplete", { text: '{"river":"Sei', finish: "length" }, /ended early \(length\)/],
  ["incomplete", { text: "", calls: [["tool", "{}"]] }, /ended early \(tool_calls\)/],
  ["not-json", { text: `Sure: ${PARIS}` }, /is not JSON/],
  ["not-json", { text: "" }, /is not JSON/],
  ["invalid", { text: '{"river":7,"people":1}' }, /does not fit the schema: river: /],
])("an answer that is something else is an error: %s", async (reason, saying, message) => {
  const { client } = await start(saying);
  const stream = await client.chat.completions.create({ messages, output: city, stream: true });
  for (const ask of [() => client.chat.completions.create({ messages, output: city }), () => stream.output()]) {
    const failure = await failureOf(ask());
    expect(failure).toBeInstanceOf(OutputError);
    expect(isOpenClawError(failure, "OutputError") && failure.reason).toBe(reason);
    expect(failure).toMatchObject({
      message: expect.stringMatching(message),
      completion: { object: "chat.completion", choices: [{ message: { role: "assistant" } }] },
    });
  }
});

test("a refusal is an error, streamed or not", async () => {
  const refusal = "I won't.";
  const message = { role: "assistant", content: null, refusal };
  const fetch = async (_: string, { body }: RequestInit) =>
    JSON.parse(String(body)).stream
      ? new Response(delta({ refusal: "I " }) + delta({ refusal: "won't." }) + finish() + DONE, {
          headers: { "content-type": "text/event-stream" },
        })
      : Response.json({ ...HEAD, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] });
  const client = withOutput(createClient({ baseUrl: "http://gateway.test", fetch }));
  const stream = await client.chat.completions.create({ messages, output: city, stream: true });
  for (const ask of [() => client.chat.completions.create({ messages, output: city }), () => stream.output()]) {
    const failure = await failureOf(ask());
    expect(failure).toMatchObject({ reason: "refusal", message: "The model refused: I won't." });
    expect(failure).toMatchObject({ completion: { choices: [{ message: { refusal } }] } });
  }
});

test.each<[string, object, RegExp]>([
  ["valibot's own", v.object({}), /`output`: .* Give that as `jsonSchema`, .* toStandardJsonSchema\(\)/],
  ["what JSON has not", z.object({ at: z.date() }), /`output`: its schema has no JSON Schema \(.*Date.*\)/],
  ["no schema", { schema: { type: "object" } }, /`output` needs a Standard Schema/],
])("a schema that cannot be told is explained: %s", async (_, output, message) => {
  const { client, turns } = await start({ text: PARIS });
  const failure = await failureOf(client.chat.completions.create({ messages, output: output as typeof city }));
  expect(failure).toMatchObject({ name: "OpenClawError", message: expect.stringMatching(message) });
  expect(turns).toEqual([]);
});

test("without output, create() is as before; the rest of the client is there, in either order", async () => {
  const { client: bare, turns } = await startScripted([{ text: PARIS }]);
  const clients = [withOutput(bare), withTools(withOutput(bare))];
  for (const client of clients) {
    const completion = await client.chat.completions.create({ messages });
    expect(completion).not.toHaveProperty("output");
    const stream = await client.chat.completions.create({ messages, stream: true });
    expect(stream).not.toHaveProperty("partials");
    expect(await stream.text()).toBe(PARIS);
    expect(await client.chat.runTools({ messages, tools: {} }).text()).toBe(PARIS);
    expect((await client.chat.completions.create({ messages, output: city })).output.people).toBe(2_100_000);
    expect(Object.keys(client.chat.completions)).toEqual(Object.keys(bare.chat.completions));
    expect((await client.models.list()).data.length).toBeGreaterThan(0);
  }
  expect(turns.map(({ params }) => params.response_format !== undefined)).toEqual([
    false,
    false,
    false,
    true,
    false,
    false,
    false,
    true,
  ]);
});

test("a model that does not keep to schemas is put right by the gateway", async () => {
  const answers = ["Sure!", PARIS, "no", "never"];
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    asked.push(JSON.stringify(await json(request)));
    const content = answers[asked.length - 1];
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(
      frame({ ...HEAD, choices: [{ index: 0, delta: { content }, finish_reason: null }] }) + finish() + DONE,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const stand = { baseUrl, apiKey: "sk-0123456789", models: [{ id: "small", structuredOutput: "prompt" as const }] };
  const url = await startGateway({ models: { providers: { stand } } }, [
    defineAgent({ id: "main", model: "stand/small" }),
  ]);
  const client = withOutput(createClient({ baseUrl: url, token: TOKEN }));
  const output = toStandardJsonSchema(v.object({ river: v.string(), people: v.number() }));
  const stream = await client.chat.completions.create({ messages, output, stream: true });
  const parts: unknown[] = [];
  for await (const part of stream.partials()) parts.push(part);
  expect([parts.at(-1), await stream.output()]).toEqual([JSON.parse(PARIS), JSON.parse(PARIS)]);
  expect(asked[0]).toContain("people");
  expect(await failureOf(client.chat.completions.create({ messages, output }))).toMatchObject({ reason: "refusal" });
  expect(asked).toHaveLength(4);
});

test.each(["{}", "null", '{"choices":null}', '{"choices":[]}'])(
  "an answer without choices (%s) is incomplete",
  async (body) => {
    const fetch = async () => new Response(body, { headers: { "content-type": "application/json" } });
    const client = withOutput(createClient({ baseUrl: "http://gateway.test", fetch, maxRetries: 0 }));
    const failure = await failureOf(client.chat.completions.create({ messages, output: city }));
    expect(failure).toMatchObject({ name: "OutputError", reason: "incomplete", completion: JSON.parse(body) });
  },
);

import OpenAI from "openai";
import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { agentOf, sayer } from "../support/agents.ts";
import { askStream, hi } from "../support/chat.ts";
import { openSocket } from "../support/raw-http.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

const HI = { model: "openclaw", messages: [{ role: "user" as const, content: "hi" }] };
const LIMIT = "x-ratelimit-limit-requests";
const REMAINING = "x-ratelimit-remaining-requests";
const RESET = "x-ratelimit-reset-requests";
/** As OpenAI's own: minutes, seconds or milliseconds. */
const DURATION = /^(?:\d+m)?\d+(?:\.\d{1,3})?s$|^\d+ms$/;

const tokenOf = (id: string) => `key-of-${id}-0123456789`;
const bearer = (id: string) => ({ authorization: `Bearer ${tokenOf(id)}` });
/** A config with these keys and how many requests per minute each may send. */
const withKeys = (keys: Record<string, number | undefined>): ConfigInput => ({
  logging: { level: "silent" },
  gateway: {
    auth: {
      mode: "token",
      token: TOKEN,
      keys: Object.entries(keys).map(([id, requestsPerMinute]) => ({
        id,
        token: tokenOf(id),
        limits: requestsPerMinute === undefined ? {} : { requestsPerMinute },
      })),
    },
    http: { endpoints: { chatCompletions: { enabled: true } } },
  },
});

async function start(keys: Record<string, number | undefined>, options: StartOptions = {}) {
  const started = await startGateway({ agents: [sayer("Hello")], ...options, config: withKeys(keys) });
  const client = (id: string, more: ConstructorParameters<typeof OpenAI>[0] = {}) =>
    new OpenAI({ baseURL: `${started.url}/v1`, apiKey: tokenOf(id), maxRetries: 0, ...more });
  return { ...started, client };
}

const rateOf = ({ headers }: { headers: Headers }) => [headers.get(LIMIT), headers.get(REMAINING)];

test("over its limit a key is told so as OpenAI tells it, and other keys are not", async () => {
  const { client } = await start({ a: 2, b: 1, free: undefined });
  const a = client("a");
  const answers = [
    await a.chat.completions.create(HI).withResponse(),
    await a.chat.completions.create(HI).withResponse(),
  ];
  expect(answers.map(({ response }) => rateOf(response))).toEqual([
    ["2", "1"],
    ["2", "0"],
  ]);
  const error = await a.chat.completions.create(HI).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "rate_limit_error", param: null });
  expect(rateOf(error)).toEqual(["2", "0"]);
  expect(error.headers.get(RESET)).toMatch(DURATION);
  expect(error.headers.get("x-should-retry")).toBe("true");
  const retryAfter = Number(error.headers.get("retry-after"));
  expect(Number.isInteger(retryAfter) && retryAfter >= 1 && retryAfter <= 30, String(retryAfter)).toBe(true);
  expect(error.message).not.toContain(tokenOf("a"));
  await client("b").chat.completions.create(HI);
  for (let count = 0; count < 4; count++) {
    const { response } = await client("free").chat.completions.create(HI).withResponse();
    expect(rateOf(response)).toEqual([null, null]);
  }
});

test("every answer says what is left: streams, errors, every route", async () => {
  const { request } = await start({ a: 100 });
  const headers = bearer("a");
  const stream = await askStream({ request, port: 0 }, hi(), headers);
  expect(rateOf(stream.response)).toEqual(["100", "99"]);
  expect(stream.response.headers.get(RESET)).toMatch(DURATION);
  const answers = [
    await request("/v1/chat/completions", {
      headers: { ...headers, "idempotency-key": "k" },
      body: hi({ stream: true }),
    }),
    await request("/v1/chat/completions", { headers, body: hi({ model: "nobody" }) }),
    await request("/v1/chat/completions", { headers, body: hi({ n: 2 }) }),
    await request("/v1/models", { headers }),
    await request("/v1/models/nobody", { headers }),
    await request("/v1/sessions", { headers }),
    await request("/v1/chat/completions/none/cancel", { method: "POST", headers }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 200, 404, 200, 404]);
  for (const answer of answers) await answer.text();
  expect(answers.map((answer) => answer.headers.get(LIMIT))).toEqual(answers.map(() => "100"));
  // Time gives some back, so less than all may be missing; but each has taken one.
  for (const answer of answers) expect(Number(answer.headers.get(REMAINING))).toBeLessThan(100);
});

test("what is not let in does not count: wrong tokens, methods, paths", async () => {
  const { request } = await start({ a: 1 });
  expect((await request("/v1/models", { headers: { authorization: "Bearer wrong" } })).headers.get(LIMIT)).toBeNull();
  expect((await request("/v1/models", { method: "DELETE", headers: bearer("a") })).status).toBe(405);
  expect((await request("/v1/nothing", { headers: bearer("a") })).status).toBe(404);
  expect((await request("/health", { headers: bearer("a") })).headers.get(LIMIT)).toBeNull();
  expect((await request("/v1/models", { headers: bearer("a") })).status).toBe(200);
  expect((await request("/v1/models", { headers: bearer("a") })).status).toBe(429);
});

test("a refused request's body is not waited for", async () => {
  const { request, port } = await start({ a: 1 });
  await request("/v1/models", { headers: bearer("a") });
  const { socket, seen } = openSocket(port);
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${tokenOf("a")}\r\n`;
  socket.write(`${head}content-type: application/json\r\ncontent-length: 30000000\r\n\r\n{`);
  await seen(/^HTTP\/1\.1 429 [\s\S]*rate_limit_exceeded/);
  socket.destroy();
});

test("OpenAI's SDK tries again by itself, and is served once it may", async () => {
  let runs = 0;
  const agent = agentOf(async function* () {
    runs++;
    yield "at last";
  });
  const { client, gateway } = await start({ a: 1 }, { agents: [agent] });
  const refused: number[] = [];
  const patient = client("a", {
    maxRetries: 3,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (response.status === 429) {
        refused.push(response.status);
        // Else it would wait for as long as it was told, a minute.
        await gateway.reload(withKeys({ a: 100 }));
        const headers = new Headers(response.headers);
        headers.set("retry-after-ms", "1");
        return new Response(response.body, { status: 429, headers });
      }
      return response;
    },
  });
  await patient.chat.completions.create(HI);
  const answer = await patient.chat.completions.create(HI);
  expect(answer.choices[0]?.message.content).toBe("at last");
  expect([refused, runs]).toEqual([[429], 2]);
});

test("a reload changes limits, and what was used stays used", async () => {
  const { request, gateway } = await start({ a: 50 });
  const visit = () => request("/v1/models", { headers: bearer("a") });
  for (let count = 0; count < 20; count++) expect((await visit()).status).toBe(200);
  await gateway.reload(withKeys({ a: 2 }));
  expect(rateOf(await visit())).toEqual(["2", "0"]);
  expect((await visit()).status).toBe(429);
  await gateway.reload(withKeys({ a: undefined }));
  expect(rateOf(await visit())).toEqual([null, null]);
  await gateway.reload(withKeys({ b: 1 }));
  expect((await visit()).status).toBe(401);
});

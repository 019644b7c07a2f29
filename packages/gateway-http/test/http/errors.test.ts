import { ERRORS, type ErrorCode } from "@openclaw/protocol";
import { expect, test, vi } from "vitest";
import { fromNode } from "../../src/http/error-reply.ts";
import { type Agent, type ConfigInput, GatewayError, type GatewayErrorOptions } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { authWith, bearer } from "../support/keys.ts";
import { exchange, expectEnvelope, post, type RawAnswer, readRaw } from "../support/raw-http.ts";
import { type StartedGateway, startGateway } from "../support/start-gateway.ts";

const CHAT = "/v1/chat/completions";
const KEY = "x-openclaw-session-key";
const KEY_TOKEN = "key-of-ann-0123456789";
const ONE_A_MINUTE = { requestsPerMinute: 1 };

/** One row of the spec's table: what provokes the error, and what it must look like. */
interface Row {
  code: ErrorCode;
  status: number;
  /** Default: `null`. */
  param?: string;
  /** The value of `x-should-retry`; absent: not sent. */
  retry?: "true" | "false";
  headers?: Record<string, string>;
  config?: ConfigInput;
  agent?: Agent;
  send(gateway: StartedGateway): Promise<RawAnswer>;
}

const answerOf = async (response: Response): Promise<RawAnswer> => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});
/** A chat request with these members and headers. */
const chat = (body: object = {}, headers: Record<string, string> = {}) => ({
  send: async ({ request }: StartedGateway) => answerOf(await request(CHAT, { body: { ...hi(), ...body }, headers })),
});
/** A chat request with this text for a body. */
const text = (body: string) => raw(post(body, "connection: close\r\n"));
const raw = (bytes: string) => ({ send: async ({ port }: StartedGateway) => readRaw(await exchange(port, bytes)) });
const visit = (path: string, init: RequestInit = {}) => ({
  send: async ({ request }: StartedGateway) =>
    answerOf(await request(path, init as { headers?: Record<string, string> })),
});
/** A chat request whose agent fails before it says a word. */
const fails = (code: ErrorCode, options: GatewayErrorOptions = {}) => ({
  code,
  ...chat(),
  agent: agentOf(async function* () {
    yield* [];
    throw new GatewayError(code, "It failed.", options);
  }),
});

const ROWS: Record<string, Row> = {
  "a body that is not JSON": { code: "invalid_json", status: 400, ...text("{nope") },
  "an empty body": { code: "invalid_json", status: 400, ...text("") },
  "a wrong type": {
    code: "invalid_type",
    status: 400,
    param: "messages[0].content",
    ...chat({ messages: [{ role: "user", content: 5 }] }),
  },
  "a value out of range": { code: "invalid_value", status: 400, param: "top_p", ...chat({ top_p: 1.5 }) },
  "an unknown role": {
    code: "invalid_value",
    status: 400,
    param: "messages[0].role",
    ...chat({ messages: [{ role: "x" }] }),
  },
  "more than one choice": { code: "unsupported_parameter", status: 400, param: "n", ...chat({ n: 2 }) },
  "log probabilities": { code: "unsupported_parameter", status: 400, param: "logprobs", ...chat({ logprobs: true }) },
  "audio output": {
    code: "unsupported_parameter",
    status: 400,
    param: "modalities",
    ...chat({ modalities: ["audio"] }),
  },
  functions: { code: "unsupported_parameter", status: 400, param: "functions", ...chat({ functions: [] }) },
  function_call: {
    code: "unsupported_parameter",
    status: 400,
    param: "function_call",
    ...chat({ function_call: "auto" }),
  },
  "stream_options without stream": {
    code: "unsupported_parameter",
    status: 400,
    param: "stream_options",
    ...chat({ stream_options: {} }),
  },
  "no message at all": { code: "missing_user_message", status: 400, param: "messages", ...chat({ messages: [] }) },
  "only instructions": {
    code: "missing_user_message",
    status: 400,
    param: "messages",
    ...chat({ messages: [{ role: "system", content: "be" }] }),
  },
  "a blank user message": {
    code: "missing_user_message",
    status: 400,
    param: "messages",
    ...chat({ messages: [{ role: "user", content: " \n" }] }),
  },
  "a malformed header": {
    code: "invalid_header",
    status: 400,
    param: "x-openclaw-message-channel",
    ...chat({}, { "x-openclaw-message-channel": "a b" }),
  },
  "a header sent twice": {
    code: "invalid_header",
    status: 400,
    param: "x-openclaw-agent-id",
    ...raw(post("{}", "x-openclaw-agent-id: main\r\nX-Openclaw-Agent-Id: main\r\nconnection: close\r\n")),
  },
  "a malformed session key": {
    code: "invalid_session_key",
    status: 400,
    param: KEY,
    ...chat({}, { [KEY]: "agent:main" }),
  },
  "a reserved session key": {
    code: "invalid_session_key",
    status: 400,
    param: KEY,
    ...chat({}, { [KEY]: "agent:main:cron:x" }),
  },
  "a user too long for a key": {
    code: "invalid_session_key",
    status: 400,
    param: "user",
    ...chat({ user: "u".repeat(600) }),
  },
  "a last event id without a key": {
    code: "invalid_resume",
    status: 400,
    param: "last-event-id",
    ...chat({}, { "last-event-id": "x:1" }),
  },
  "bytes that are no HTTP": { code: "malformed_request", status: 400, ...raw("what is this\r\n\r\n") },
  "a URL that is not well-formed": { code: "malformed_request", status: 400, ...visit("/v1/%zz") },
  "no credentials": {
    code: "invalid_api_key",
    status: 401,
    headers: { "www-authenticate": "Bearer" },
    ...visit(CHAT, { method: "POST", headers: { authorization: "" } }),
  },
  "wrong credentials": {
    code: "invalid_api_key",
    status: 401,
    headers: { "www-authenticate": "Bearer" },
    ...chat({}, { authorization: "Bearer wrong" }),
  },
  "credentials of another kind": {
    code: "invalid_api_key",
    status: 401,
    headers: { "www-authenticate": "Bearer" },
    ...chat({}, { authorization: "Basic eDp5" }),
  },
  "a foreign Host": {
    code: "host_not_allowed",
    status: 403,
    param: "host",
    ...raw("GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n"),
  },
  "a foreign Origin without auth": {
    code: "origin_not_allowed",
    status: 403,
    param: "origin",
    config: { gateway: { auth: { mode: "none" } } },
    ...visit("/v1/models", { headers: { origin: "https://evil.example" } }),
  },
  "an agent that the key is not for": {
    code: "agent_not_allowed",
    status: 403,
    param: "model",
    config: { gateway: { auth: authWith({ ann: { agents: ["poet"] } }) } },
    ...chat({}, bearer("ann")),
  },
  "a path that the key is not for": {
    code: "missing_scope",
    status: 403,
    config: { gateway: { auth: authWith({ ann: { scopes: ["chat"] } }) } },
    ...visit("/v1/models", { headers: bearer("ann") }),
  },
  "a header that the key is not for": {
    code: "missing_scope",
    status: 403,
    param: "x-openclaw-model",
    config: { gateway: { auth: authWith({ ann: {} }) } },
    ...chat({}, { "x-openclaw-model": "openai/gpt-5", ...bearer("ann") }),
  },
  "a session that is not there": {
    code: "not_found",
    status: 404,
    param: "key",
    ...visit("/v1/sessions/agent:main:x"),
  },
  "a completion that is not there": {
    code: "not_found",
    status: 404,
    param: "id",
    ...visit("/v1/chat/completions/chatcmpl-x"),
  },
  "an unknown model": { code: "model_not_found", status: 404, param: "model", ...chat({ model: "gpt-5" }) },
  "an unknown agent in the header": {
    code: "model_not_found",
    status: 404,
    param: "x-openclaw-agent-id",
    ...chat({}, { "x-openclaw-agent-id": "nobody" }),
  },
  "an unknown path": { code: "unknown_url", status: 404, ...visit("/v1/embeddings") },
  "an endpoint that is off": {
    code: "endpoint_disabled",
    status: 404,
    ...chat(),
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } },
  },
  "a method that is not served": {
    code: "method_not_allowed",
    status: 405,
    headers: { allow: "POST, GET, HEAD" },
    ...visit(CHAT, { method: "DELETE" }),
  },
  "another one": {
    code: "method_not_allowed",
    status: 405,
    headers: { allow: "GET, HEAD" },
    ...visit("/v1/models", { method: "DELETE" }),
  },
  "a URL that is too long": { code: "request_too_large", status: 414, ...visit(`/v1/models/${"a".repeat(9000)}`) },
  "headers that are too long": {
    code: "request_too_large",
    status: 431,
    ...raw(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(40_000)}\r\n\r\n`),
  },
  "a body of text": {
    code: "unsupported_media_type",
    status: 415,
    param: "content-type",
    ...chat({}, { "content-type": "text/plain" }),
  },
  "a compressed body": {
    code: "unsupported_media_type",
    status: 415,
    param: "content-encoding",
    ...chat({}, { "content-encoding": "gzip" }),
  },
  "an expectation other than 100-continue": {
    code: "expectation_failed",
    status: 417,
    ...raw(post("{}", "expect: a-pony\r\n")),
  },
  "an idempotency key that has no run to come back to": {
    code: "resume_lost",
    status: 409,
    param: "last-event-id",
    retry: "false",
    ...chat({}, { "idempotency-key": "k", "last-event-id": "x:1" }),
  },
  "an idempotency key of another request": {
    code: "idempotency_key_conflict",
    status: 409,
    param: "idempotency-key",
    retry: "false",
    async send(gateway) {
      await chat({}, { "idempotency-key": "k" }).send(gateway);
      return chat({ user: "ann" }, { "idempotency-key": "k" }).send(gateway);
    },
  },
  "a run that takes too long": {
    code: "run_timeout",
    status: 504,
    retry: "false",
    ...chat(),
    agent: agentOf((_turn, signal) => waitFor(signal), { timeoutSeconds: 0.05 }),
  },
  "a locked-out address": {
    code: "too_many_failed_attempts",
    status: 429,
    retry: "true",
    headers: { "retry-after": "300" },
    config: {
      gateway: { auth: { mode: "token", token: "t0ken", rateLimit: { maxAttempts: 1, exemptLoopback: false } } },
    },
    async send(gateway) {
      // What is left of it is told in seconds.
      vi.spyOn(performance, "now").mockReturnValue(performance.now());
      await chat().send(gateway);
      return chat().send(gateway);
    },
  },
  "a key over its requests per minute": {
    code: "rate_limit_exceeded",
    status: 429,
    retry: "true",
    headers: { "x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0" },
    config: {
      gateway: {
        auth: { mode: "token", token: "t0ken", keys: [{ id: "ann", token: KEY_TOKEN, limits: ONE_A_MINUTE }] },
      },
    },
    async send(gateway) {
      const headers = { authorization: `Bearer ${KEY_TOKEN}` };
      await visit("/v1/models", { headers }).send(gateway);
      return chat({}, headers).send(gateway);
    },
  },
  "a provider that refuses our key": { ...fails("provider_auth"), status: 502, retry: "false" },
  "a provider that does not know the model": { ...fails("provider_model_not_found"), status: 502, retry: "false" },
  "a provider's rate limit": {
    ...fails("provider_rate_limited", { retryAfter: 17 }),
    status: 429,
    retry: "true",
    headers: { "retry-after": "17" },
  },
  "an overloaded provider": {
    ...fails("provider_overloaded"),
    status: 503,
    retry: "true",
    headers: { "retry-after": "1" },
  },
  "a silent provider": { ...fails("provider_timeout"), status: 504, retry: "true" },
  "an unreachable provider": { ...fails("provider_unreachable"), status: 502, retry: "true" },
  "a provider's broken answer": { ...fails("provider_bad_response"), status: 502, retry: "true" },
  "a provider's 4xx": { ...fails("provider_error", { retry: false }), status: 502, retry: "false" },
  "a provider's 5xx": { ...fails("provider_error", { retry: true }), status: 502, retry: "true" },
  "a talk too long for the model": {
    ...fails("context_length_exceeded", { param: "messages" }),
    status: 400,
    param: "messages",
  },
  "a content filter": { ...fails("content_filter", { param: "messages" }), status: 400, param: "messages" },
  "an agent's bug": {
    code: "internal_error",
    status: 500,
    retry: "false",
    ...chat(),
    agent: agentOf(async function* () {
      yield* [];
      throw new Error("secret detail");
    }),
  },
};

/** Needs its own test below, or two requests at once. */
const ELSEWHERE: ErrorCode[] = [
  "request_timeout",
  "session_busy",
  "run_aborted",
  "queue_full",
  "gateway_overloaded",
  "gateway_draining",
];

async function* waitFor(signal: AbortSignal) {
  await new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

for (const [what, row] of Object.entries(ROWS)) {
  test(`${what} is ${row.status} ${row.code}`, async () => {
    const gateway = await startGateway({
      agents: [row.agent ?? sayer("x")],
      ...(row.config && { config: row.config }),
    });
    const { status, headers, body } = await row.send(gateway);
    expect(status, body).toBe(row.status);
    const error = expectEnvelope(status, body);
    expect(error).toMatchObject({ code: row.code, param: row.param ?? null });
    expect(body).not.toContain("secret detail");
    expect(headers["x-should-retry"]).toBe(row.retry);
    expect(headers).toMatchObject({ "cache-control": "no-store", ...row.headers });
    expect(headers["x-request-id"]).toMatch(/^req_[0-9a-f]{32}$/);
    expect(headers["content-type"]).toMatch(/^application\/json/);
    if (status !== 429 && status !== 503) expect(headers["retry-after"]).toBeUndefined();
  });
}

test("every code of this version is provoked by a test here", () => {
  const provoked = Object.values(ROWS).map((row) => row.code);
  expect([...new Set([...provoked, ...ELSEWHERE])].sort()).toEqual(Object.keys(ERRORS).sort());
});

test("a request that does not arrive in time is 408 request_timeout", () => {
  expect(fromNode("ERR_HTTP_REQUEST_TIMEOUT")).toMatchObject({ code: "request_timeout", status: 408 });
});

/** Two requests of one session, the second sent while the first runs. */
async function collide(concurrency: "reject" | "interrupt" | "queue", maxQueued = 0) {
  const { agent, started, say, end } = stepper();
  const gateway = await startGateway({ agents: [agent], config: { sessions: { concurrency, maxQueued } } });
  const first = chat({ user: "ann" }).send(gateway);
  await started;
  const second = chat({ user: "ann" }).send(gateway);
  return { first, second, say, end };
}

test("a busy session that rejects is 409 session_busy, safe to retry", async () => {
  const { first, second, end } = await collide("reject");
  const { status, headers, body } = await second;
  expect(expectEnvelope(status, body)).toMatchObject({ code: "session_busy" });
  expect({ status, retry: headers["x-should-retry"] }).toEqual({ status: 409, retry: "true" });
  end();
  expect((await first).status).toBe(200);
});

test("an interrupted run is 409 run_aborted, not to be retried", async () => {
  const { first, second, say, end } = await collide("interrupt", 1);
  const { status, headers, body } = await first;
  expect(expectEnvelope(status, body)).toMatchObject({ code: "run_aborted" });
  expect({ status, retry: headers["x-should-retry"] }).toEqual({ status: 409, retry: "false" });
  for (const step of [() => say("a"), () => say("b"), end]) step();
  expect((await second).status).toBe(200);
});

test("a full lane is 429 queue_full with retry-after", async () => {
  const { first, second, end } = await collide("queue");
  const { status, headers, body } = await second;
  expect(expectEnvelope(status, body)).toMatchObject({ code: "queue_full" });
  expect({ status, retry: headers["x-should-retry"], after: headers["retry-after"] }).toEqual({
    status: 429,
    retry: "true",
    after: "1",
  });
  end();
  expect((await first).status).toBe(200);
});

test("a full gateway is 503 gateway_overloaded with retry-after", async () => {
  const { agent, started, end } = stepper();
  const config = { gateway: { limits: { concurrentRuns: 1, queuedRuns: 0 } } };
  const gateway = await startGateway({ agents: [agent], config });
  const first = chat().send(gateway);
  await started;
  const { status, headers, body } = await chat().send(gateway);
  expect(expectEnvelope(status, body)).toMatchObject({ code: "gateway_overloaded", type: "service_unavailable" });
  expect({ status, retry: headers["x-should-retry"], after: headers["retry-after"] }).toEqual({
    status: 503,
    retry: "true",
    after: "1",
  });
  end();
  expect((await first).status).toBe(200);
});

test("a draining gateway is 503 gateway_draining with retry-after, and is not ready", async () => {
  const { agent, started, end } = stepper();
  const gateway = await startGateway({ agents: [agent] });
  const first = chat().send(gateway);
  await started;
  const closing = gateway.gateway.close();
  const { status, headers, body } = await chat().send(gateway);
  expect(expectEnvelope(status, body)).toMatchObject({ code: "gateway_draining", type: "service_unavailable" });
  expect({ status, retry: headers["x-should-retry"], after: headers["retry-after"] }).toEqual({
    status: 503,
    retry: "true",
    after: "5",
  });
  expect((await gateway.request("/readyz")).status).toBe(503);
  expect((await gateway.request("/healthz")).status).toBe(200);
  end();
  expect((await first).status).toBe(200);
  await closing;
});

import type { ErrorCode } from "@openclaw/protocol";
import { expect, test, vi } from "vitest";
import { GatewayError } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, HEAD, post, readRaw } from "../support/raw-http.ts";
import { startDocumented } from "./openapi.ts";

const CHAT = "/v1/chat/completions";
const SESSION = "x-openclaw-session-key";

type Refusal = [status: number, code: ErrorCode, method: string, path: string, body?: unknown, headers?: object];

/** What is refused before anything runs, operation by operation. */
const REFUSALS: Refusal[] = [
  [400, "invalid_json", "POST", CHAT, "{nope"],
  [400, "invalid_type", "POST", CHAT, hi({ messages: 5 })],
  [400, "invalid_value", "POST", CHAT, hi({ top_p: 2 })],
  [400, "unsupported_parameter", "POST", CHAT, hi({ n: 2 })],
  [400, "missing_user_message", "POST", CHAT, hi({ messages: [] })],
  [400, "invalid_header", "POST", CHAT, hi(), { "x-openclaw-message-channel": "a b" }],
  [400, "invalid_session_key", "POST", CHAT, hi(), { [SESSION]: "agent:x" }],
  [400, "invalid_resume", "POST", CHAT, hi(), { "last-event-id": "x:1" }],
  [401, "invalid_api_key", "POST", CHAT, hi(), { authorization: "Bearer wrong" }],
  [404, "model_not_found", "POST", CHAT, hi({ model: "gpt-5" })],
  [409, "resume_lost", "POST", CHAT, hi(), { "idempotency-key": "k", "last-event-id": "x:1" }],
  [415, "unsupported_media_type", "POST", CHAT, "{}", { "content-type": "text/plain" }],
  [400, "invalid_value", "GET", `${CHAT}?limit=0`],
  [404, "not_found", "GET", `${CHAT}/x`],
  [400, "invalid_type", "POST", `${CHAT}/x`, { metadata: 5 }],
  [404, "not_found", "POST", `${CHAT}/x`, { metadata: null }],
  [404, "not_found", "DELETE", `${CHAT}/x`],
  [400, "invalid_value", "GET", `${CHAT}/x/messages?order=x`],
  [404, "not_found", "GET", `${CHAT}/x/messages`],
  [404, "not_found", "POST", `${CHAT}/x/cancel`],
  [401, "invalid_api_key", "GET", "/v1/models", undefined, { authorization: "" }],
  [404, "model_not_found", "GET", "/v1/models/gpt-5"],
  [400, "malformed_request", "GET", "/v1/models/%zz"],
  [414, "request_too_large", "GET", `/v1/models/${"a".repeat(9000)}`],
  [400, "invalid_value", "GET", "/v1/sessions?after=x"],
  [404, "not_found", "GET", "/v1/sessions/x"],
  [400, "invalid_type", "PATCH", "/v1/sessions/x", { title: 5 }],
  [404, "not_found", "PATCH", "/v1/sessions/x", { title: null }],
  [404, "not_found", "DELETE", "/v1/sessions/x"],
  [404, "not_found", "GET", "/v1/sessions/x/messages"],
  [404, "not_found", "GET", "/v1/sessions/x/branches"],
  [400, "invalid_json", "POST", "/v1/sessions/x/head", ""],
  [404, "not_found", "POST", "/v1/sessions/x/head", { id: "x" }],
  [404, "not_found", "POST", "/v1/sessions/x/fork"],
  [415, "unsupported_media_type", "POST", "/v1/sessions/x/fork", "{}", { "content-type": "text/plain" }],
  [404, "not_found", "POST", "/v1/sessions/x/abort"],
  [400, "invalid_type", "POST", "/v1/sessions/x/abort", []],
  [401, "invalid_api_key", "GET", "/status", undefined, { authorization: "" }],
  [401, "invalid_api_key", "GET", "/metrics", undefined, { authorization: "Bearer wrong" }],
];

test("what is refused before it runs is told as documented", async () => {
  const { call } = await startDocumented();
  for (const [status, code, ...request] of REFUSALS) {
    const { json } = await call(status, ...request);
    expect(json.error.code, request.join(" ")).toBe(code);
  }
});

test("so is a body that is too large", async () => {
  const { call } = await startDocumented();
  const { json } = await call(413, "POST", CHAT, hi({ messages: [{ role: "user", content: "a".repeat(2 ** 25) }] }));
  expect(json.error.code).toBe("request_too_large");
});

/** What only a run can end with. */
const FAILURES: ErrorCode[] = [
  "context_length_exceeded",
  "content_filter",
  "run_timeout",
  "provider_auth",
  "provider_model_not_found",
  "provider_rate_limited",
  "provider_overloaded",
  "provider_timeout",
  "provider_unreachable",
  "provider_bad_response",
  "provider_error",
  "gateway_overloaded",
];

test("what a run fails with is told as documented, as an answer and as an event", async () => {
  const failing = agentOf(async function* ({ messages, stream }) {
    const code = messages.at(-1)?.content as ErrorCode | "bug";
    if (stream) yield "a word";
    throw code === "bug" ? new Error("oops") : new GatewayError(code, "It failed.");
  });
  const { call, contract } = await startDocumented({ agents: [failing] });
  const { responses } = contract.find("POST", CHAT);
  for (const code of [...FAILURES, "bug"]) {
    const status = Object.keys(responses).find((each) => responses[each]?.["x-error-codes"]?.includes(code)) ?? "500";
    const body = hi({ messages: [{ role: "user", content: code }] });
    const { json } = await call(Number(status), "POST", CHAT, body);
    expect(json.error.code).toBe(code === "bug" ? "internal_error" : code);
    const { text } = await call(200, "POST", CHAT, { ...body, stream: true });
    const event = /^data: (\{"error".*)\n\ndata: \[DONE\]\n\n$/m.exec(text)?.[1] ?? "";
    expect(JSON.parse(event)).toEqual({ error: { ...json.error } });
    contract.expectShape("Error", JSON.parse(event));
  }
});

test("what a session or a key is busy with is told as documented", async () => {
  const { agent, started, say, end } = stepper();
  const { call } = await startDocumented({ agents: [agent], config: { sessions: { concurrency: "reject" } } });
  const headers = { [SESSION]: "trip", "idempotency-key": "k" };
  const running = call(200, "POST", CHAT, hi(), headers);
  await started;
  const busy = [
    await call(409, "POST", CHAT, hi(), { [SESSION]: "trip" }),
    await call(409, "DELETE", "/v1/sessions/agent:main:trip"),
  ];
  expect(busy.map(({ json }) => json.error.code)).toEqual(["session_busy", "session_busy"]);
  const other = await call(409, "POST", CHAT, hi({ seed: 1 }), headers);
  expect(other.json.error.code).toBe("idempotency_key_conflict");
  say("a");
  end();
  expect((await running).json.choices[0].message.content).toBe("a");
});

test("a full lane and a run that was ended are told as documented", async () => {
  const { agent, started } = stepper();
  const { call } = await startDocumented({ agents: [agent], config: { sessions: { maxQueued: 0 } } });
  const running = call(409, "POST", CHAT, hi(), { [SESSION]: "trip" });
  await started;
  expect((await call(429, "POST", CHAT, hi(), { [SESSION]: "trip" })).json.error.code).toBe("queue_full");
  await call(200, "POST", "/v1/sessions/agent:main:trip/abort");
  expect((await running).json.error.code).toBe("run_aborted");
});

test("a gateway that shuts down says so as documented", async () => {
  const { agent, started, say, end } = stepper();
  const { call, gateway } = await startDocumented({ agents: [agent] });
  const running = call(200, "POST", CHAT, hi());
  await started;
  const closed = gateway.close();
  expect((await call(503, "POST", CHAT, hi())).json.error.code).toBe("gateway_draining");
  expect((await call(503, "GET", "/ready")).json).toEqual({ status: "draining" });
  say("a");
  end();
  await Promise.all([running, closed]);
});

test("what a key may not do is told as documented", async () => {
  const token = "key-of-ann-0123456789";
  const keys = [{ id: "ann", token, agents: ["other"], limits: { requestsPerMinute: 5 } }];
  const { call } = await startDocumented({
    agents: [sayer("a")],
    config: { gateway: { auth: { mode: "token", token: "t".repeat(20), keys } } },
  });
  const ann = { authorization: `Bearer ${token}` };
  // Time gives requests back.
  vi.spyOn(performance, "now").mockReturnValue(performance.now());
  const told = [
    await call(403, "POST", CHAT, hi(), ann),
    await call(403, "GET", "/v1/models/openclaw", undefined, ann),
    await call(403, "GET", "/status", undefined, ann),
    await call(403, "GET", "/metrics", undefined, ann),
  ];
  expect(told.map(({ json }) => json.error.code)).toEqual([
    "agent_not_allowed",
    "agent_not_allowed",
    "missing_scope",
    "missing_scope",
  ]);
  const list = await call(200, "GET", "/v1/models", undefined, ann);
  expect(list.headers.get("x-ratelimit-limit-requests")).toBe("5");
  await call(200, "GET", "/v1/sessions", undefined, ann);
  await call(404, "GET", `${CHAT}/x`, undefined, ann);
  const over = await call(429, "GET", "/v1/sessions", undefined, ann);
  expect(over.json.error.code).toBe("rate_limit_exceeded");
});

test("an endpoint that is off, and an address that is locked out, are told as documented", async () => {
  const rateLimit = { maxAttempts: 1, exemptLoopback: false };
  const { call } = await startDocumented({
    config: { gateway: { auth: { mode: "password", password: "a password of its own", rateLimit } } },
  });
  const wrong = { authorization: "Bearer wrong" };
  await call(401, "GET", "/v1/models", undefined, wrong);
  const { json } = await call(429, "GET", "/v1/models", undefined, wrong);
  expect(json.error.code).toBe("too_many_failed_attempts");
  const endpoints = { chatCompletions: { enabled: false } };
  const off = await startDocumented({ config: { gateway: { http: { endpoints } } } });
  for (const [path, methods] of Object.entries(off.document.paths)) {
    for (const method of Object.keys(methods)) {
      if (!path.startsWith("/v1/")) continue;
      const told = await off.call(404, method.toUpperCase(), path.replace(/\{\w+\}/, "x"));
      expect(told.json.error.code, path).toBe("endpoint_disabled");
    }
  }
});

test("what never reaches a route is told as documented", async () => {
  const { contract, port } = await startDocumented();
  const requests = [
    [403, `POST ${CHAT} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n`],
    [417, post("{}", "expect: a-pony\r\n")],
    [431, `POST ${CHAT} HTTP/1.1\r\n${HEAD}x: ${"a".repeat(40_000)}\r\n\r\n`],
    [400, "what is this\r\n\r\n"],
  ] as const;
  for (const [status, bytes] of requests) {
    const { headers, body, ...answer } = readRaw(await exchange(port, bytes));
    expect(answer.status).toBe(status);
    await contract.expectAnswer("POST", CHAT, new Response(body, { status, headers }));
  }
});

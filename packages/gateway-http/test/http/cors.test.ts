import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { sayer, stepper } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, post, readRaw } from "../support/raw-http.ts";
import { type StartedGateway, startGateway, TOKEN } from "../support/start-gateway.ts";

const PAGE = "https://chat.example.com";
const EXPOSED = [
  "x-request-id",
  "x-openclaw-run-id",
  "x-openclaw-session-key",
  "idempotency-replayed",
  "retry-after",
  "x-should-retry",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
].join(", ");

const listing = (origins: string[], more: object = {}): ConfigInput => ({
  logging: { level: "silent" },
  gateway: { ...more, http: { cors: { origins } } },
});
const start = (config = listing([PAGE, "http://localhost:3000"]), agents = [sayer("hello")]) =>
  startGateway({ agents, config });

/** What of an answer is about other origins. */
const corsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name === "vary" || name.startsWith("access-control-")));

const READABLE = {
  vary: "origin",
  "access-control-allow-origin": PAGE,
  "access-control-expose-headers": EXPOSED,
};

function preflight({ url }: StartedGateway, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const asked = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type,x-stainless-os",
  };
  return fetch(`${url}${path}`, { method: "OPTIONS", headers: { origin: PAGE, ...asked, ...headers } });
}

const PATHS = [
  "/v1/chat/completions",
  "/v1/chat/completions/some-id",
  "/v1/models",
  "/v1/models/openclaw/main",
  "/v1/sessions/agent%3Amain%3Atrip/head",
  "/healthz",
];

test("a preflight of a listed origin is answered before auth on every path, the endpoint on or off", async () => {
  const off = listing([PAGE]);
  off.gateway = { ...off.gateway, http: { ...off.gateway?.http, endpoints: {} } };
  for (const gateway of [await start(), await start(off)]) {
    for (const path of PATHS) {
      const response = await preflight(gateway, path);
      expect(response.status, path).toBe(204);
      expect(await response.text()).toBe("");
      expect(corsOf(response)).toEqual({
        ...READABLE,
        vary: "origin, access-control-request-headers",
        "access-control-allow-headers": "authorization, content-type,x-stainless-os",
        "access-control-allow-methods": "GET, HEAD, POST, PATCH, DELETE",
        "access-control-max-age": "600",
      });
    }
    const missing = await preflight(gateway, "/v1/nothing");
    expect(missing.status).toBe(404);
    expect(corsOf(missing)).toEqual(READABLE);
  }
});

test("what is no preflight, or of nobody's origin, is 405 as ever", async () => {
  const gateway = await start();
  const { url } = gateway;
  const asked = { method: "OPTIONS", headers: { origin: PAGE } };
  const plain = await fetch(`${url}/v1/models`, asked);
  expect([plain.status, plain.headers.get("allow"), corsOf(plain)]).toEqual([405, "GET, HEAD", READABLE]);
  for (const origin of [
    "https://evil.example",
    "null",
    `${PAGE}:8443`,
    `${PAGE}.evil.example`,
    "http://chat.example.com",
  ]) {
    const response = await preflight(gateway, "/v1/models", { origin });
    expect(response.status, origin).toBe(405);
    expect(corsOf(response)).toEqual({ vary: "origin" });
  }
  expect((await fetch(`${url}/v1/models`, { method: "OPTIONS" })).status).toBe(405);
});

test("a preflight is behind the Host guard", async () => {
  const { port } = await start();
  const lines = ["host: evil.example", `origin: ${PAGE}`, "access-control-request-method: POST", "connection: close"];
  const text = await exchange(port, `OPTIONS /v1/models HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  expect(readRaw(text).status).toBe(403);
});

test("answers can be read by the page: whole, streamed, kept, replayed", async () => {
  const { request } = await start();
  const headers = { origin: PAGE };
  for (const [body, more] of [
    [hi(), {}],
    [hi({ stream: true }), {}],
    [hi({ stream: true }), { "idempotency-key": "streamed" }],
    [hi({ stream: true }), { "idempotency-key": "streamed" }],
    [hi(), { "idempotency-key": "whole" }],
  ] as const) {
    const response = await request("/v1/chat/completions", { body, headers: { ...headers, ...more } });
    expect(response.status).toBe(200);
    expect(corsOf(response)).toEqual(READABLE);
    expect(await response.text()).toContain("hello");
  }
  expect(corsOf(await request("/v1/models", { headers: { origin: "http://localhost:3000" } }))).toMatchObject({
    "access-control-allow-origin": "http://localhost:3000",
  });
});

test("errors can be read by the page, whoever refuses", async () => {
  const rateLimit = { maxAttempts: 1, exemptLoopback: false };
  const { request } = await start(listing([PAGE], { auth: { mode: "token", token: TOKEN, rateLimit } }));
  const path = "/v1/chat/completions";
  const refusals: [status: number, path: string, init: Parameters<typeof request>[1]][] = [
    [400, path, { body: { messages: 1 } }],
    [400, "/v1/models/%", {}],
    [401, path, { body: hi(), headers: { authorization: "Bearer wrong" } }],
    [404, path, { body: hi({ model: "nobody" }) }],
    [404, "/v1/nothing", {}],
    [405, path, { method: "PUT" }],
    [413, path, { body: hi({ user: "a".repeat(33 * 1024 * 1024) }) }],
    [414, `/v1/models/${"a".repeat(9000)}`, {}],
    [415, path, { body: hi(), headers: { "content-type": "text/plain" } }],
    [429, path, { body: hi(), headers: { authorization: "Bearer wrong" } }],
  ];
  for (const [status, path, init] of refusals) {
    const response = await request(path, { ...init, headers: { ...init?.headers, origin: PAGE } });
    expect([response.status, corsOf(response)]).toEqual([status, READABLE]);
    expect(await response.json()).toHaveProperty("error.code");
  }
});

test("so can what Fastify never gets to see, an expectation that is not met", async () => {
  const { port } = await start();
  const { status, headers } = readRaw(await exchange(port, post("{}", `origin: ${PAGE}\r\nexpect: a-pony\r\n`)));
  expect({ status, headers }).toMatchObject({ status: 417, headers: READABLE });
  const other = readRaw(await exchange(port, post("{}", "origin: https://evil.example\r\nexpect: a-pony\r\n")));
  expect(other.headers).toMatchObject({ vary: "origin" });
  expect(other.headers).not.toHaveProperty("access-control-allow-origin");
});

test("a run that fails before its first word can be read too", async () => {
  const { agent, fail } = stepper();
  const { request } = await start(undefined, [agent]);
  fail(new Error("x"));
  const response = await request("/v1/chat/completions", { body: hi({ stream: true }), headers: { origin: PAGE } });
  expect([response.status, corsOf(response)]).toEqual([500, READABLE]);
});

test("another origin hears nothing of it, and is served as before: the token is what counts", async () => {
  const { request } = await start();
  for (const origin of ["https://evil.example", "null", "HTTPS://CHAT.EXAMPLE.COM"]) {
    const response = await request("/v1/models", { headers: { origin } });
    expect([response.status, corsOf(response)]).toEqual([200, { vary: "origin" }]);
  }
  expect(corsOf(await request("/v1/models"))).toEqual({ vary: "origin" });
});

test("without origins there is no word of CORS at all", async () => {
  const gateway = await start({});
  expect(corsOf(await gateway.request("/v1/models", { headers: { origin: PAGE } }))).toEqual({});
  const response = await preflight(gateway, "/v1/models");
  expect([response.status, corsOf(response)]).toEqual([405, {}]);
});

test("without auth a listed origin is let in, and another is refused without being told of it", async () => {
  const gateway = await start(listing([PAGE], { auth: { mode: "none" } }));
  const get = (origin: string) => fetch(`${gateway.url}/v1/models`, { headers: { origin } });
  const listed = await get(PAGE);
  expect([listed.status, corsOf(listed)]).toEqual([200, READABLE]);
  const other = await get("https://evil.example");
  expect([other.status, corsOf(other)]).toEqual([403, { vary: "origin" }]);
  expect(await other.json()).toMatchObject({
    error: { code: "origin_not_allowed", message: expect.stringMatching(/http\.cors\.origins/) },
  });
  expect((await preflight(gateway, "/v1/models", { origin: "https://evil.example" })).status).toBe(403);
});

test("a reload adds and removes origins", async () => {
  const { gateway, request } = await start();
  const auth = { mode: "token", token: TOKEN } as const;
  const allowed = async (origin: string) =>
    (await request("/v1/models", { headers: { origin } })).headers.get("access-control-allow-origin");
  expect([await allowed(PAGE), await allowed("https://new.example")]).toEqual([PAGE, null]);
  await gateway.reload(listing(["https://new.example"], { auth }));
  expect([await allowed(PAGE), await allowed("https://new.example")]).toEqual([null, "https://new.example"]);
});

test.each(["null", "*", "https://chat.example.com/", "chat.example.com", "https://chat.example.com:443"])(
  "%j cannot be listed",
  async (origin) => {
    await expect(start(listing([origin]))).rejects.toThrow(/gateway\.http\.cors\.origins\[0\]: must be an origin/);
  },
);

import { expect, test } from "vitest";
import { type ClientOptions, createClient, OpenClawError } from "../src/index.ts";
import { failureOf, hi, makeClient, scripted, TOKEN } from "./support/client.ts";

const models = () => Response.json({ object: "list", data: [] });

test.each([
  ["http://127.0.0.1:18789", "http://127.0.0.1:18789/v1/models"],
  ["http://127.0.0.1:18789/", "http://127.0.0.1:18789/v1/models"],
  ["http://127.0.0.1:18789/v1", "http://127.0.0.1:18789/v1/models"],
  ["http://127.0.0.1:18789/v1//", "http://127.0.0.1:18789/v1/models"],
  ["HTTPS://Example.com/claw/v1/", "https://example.com/claw/v1/models"],
  ["https://example.com/claw?x=1#y", "https://example.com/claw/v1/models"],
])("baseUrl %s asks %s", async (baseUrl, expected) => {
  let asked: string | undefined;
  const client = createClient({
    baseUrl,
    fetch: async (url) => {
      asked = url;
      return models();
    },
  });
  await client.models.list();
  expect(asked).toBe(expected);
});

test.each<[string, unknown, RegExp]>([
  ["no options", undefined, /createClient needs options: \{ baseUrl, token \}/],
  ["OpenAI's baseURL", { baseURL: "http://x" }, /Did you mean `baseUrl`\?/],
  ["OpenAI's apiKey", { baseUrl: "http://x", apiKey: "k" }, /Did you mean `token`\?/],
  ["no baseUrl", { token: "t" }, /`baseUrl` must be a URL like "http/],
  ["a baseUrl without scheme", { baseUrl: "localhost:18789" }, /must be a URL like "http/],
  ["a baseUrl that is no URL", { baseUrl: "http://" }, /must be a URL/],
  ["an unset environment variable", { baseUrl: "http://x", token: undefined }, /environment variable/],
  ["an empty token", { baseUrl: "http://x", token: " " }, /visible ASCII/],
  ["no time at all", { baseUrl: "http://x", timeout: 0 }, /`timeout` and `idleTimeout` must be/],
  ["a timeout that is no number", { baseUrl: "http://x", timeout: Number.NaN }, /`timeout` and `idleTimeout` must be/],
  ["fewer retries than none", { baseUrl: "http://x", maxRetries: -1 }, /`maxRetries` must be/],
  ["a fetch that is none", { baseUrl: "http://x", fetch: "fetch" }, /`fetch` must be a function/],
])("%s is explained", (_, options, message) => {
  expect(() => createClient(options as ClientOptions)).toThrow(message);
  expect(() => createClient(options as ClientOptions)).toThrow(OpenClawError);
});

test("no message quotes a secret that was put where it cannot be used", async () => {
  const secret = "s3cr3t-value";
  const failures = [
    () => createClient({ baseUrl: `http://user:${secret}@127.0.0.1` }),
    () => createClient({ baseUrl: "http://x", token: `${secret}\nx` }),
    () => createClient({ baseUrl: `http://${secret}:x@` }),
  ];
  for (const fail of failures) {
    expect(fail).toThrow(OpenClawError);
    expect(fail).not.toThrow(secret);
  }
  for (const options of [{ token: () => `${secret}\nx` }, { headers: { "x-key": `${secret}\nx` } }]) {
    const failure = await failureOf(makeClient({ ...options, fetch: async () => models() }).models.list());
    expect(failure).toBeInstanceOf(OpenClawError);
    expect(String(failure)).not.toContain(secret);
  }
});

test("the token may come from a function, asked before every attempt", async () => {
  const sent: (string | null)[] = [];
  let count = 0;
  const client = makeClient({
    token: async () => ` token-${++count}\n`,
    fetch: async (_, init) => {
      sent.push(new Headers(init.headers).get("authorization"));
      return sent.length === 1 ? new Response("", { status: 503, headers: { "retry-after-ms": "0" } }) : models();
    },
  });
  await client.models.list();
  expect(sent).toEqual(["Bearer token-1", "Bearer token-2"]);
});

test("a token function that fails is not asked again", async () => {
  let asked = 0;
  const cause = new Error("vault is closed");
  const client = makeClient({
    token: () => {
      asked += 1;
      throw cause;
    },
  });
  const failure = await failureOf(client.models.list());
  expect(failure).toMatchObject({ name: "OpenClawError", message: "The `token` function failed.", cause });
  expect(asked).toBe(1);
});

test("a gateway without authentication gets no header for it", async () => {
  let headers: Headers | undefined;
  const client = createClient({
    baseUrl: "http://gateway.test",
    fetch: async (_, init) => {
      headers = new Headers(init.headers);
      return models();
    },
  });
  await client.models.list();
  expect([...(headers as Headers).keys()]).toEqual(["accept"]);
});

test("headers of the call beat those of the client, and the agent and session have options of their own", async () => {
  let request: Request | undefined;
  const client = makeClient({
    headers: { "X-A": "client", "x-b": "client" },
    fetch: async (url, init) => {
      request = new Request(url, init);
      return Response.json({});
    },
  });
  await client.chat.completions.create(hi, {
    agentId: "beta",
    sessionKey: "agent:beta:Zürich/1 %",
    idempotencyKey: "call-1",
    activity: true,
    headers: { "x-a": "call" },
  });
  expect(Object.fromEntries((request as Request).headers)).toEqual({
    accept: "application/json",
    authorization: `Bearer ${TOKEN}`,
    "content-type": "application/json",
    "idempotency-key": "call-1",
    "x-a": "call",
    "x-b": "client",
    "x-openclaw-agent-id": "beta",
    "x-openclaw-events": "1",
    "x-openclaw-session-key": "agent%3Abeta%3AZ%C3%BCrich%2F1%20%25",
  });
  expect((request as Request).method).toBe("POST");
  expect(await (request as Request).json()).toEqual(hi);
});

test("half of a surrogate pair is no session key", async () => {
  const failure = await failureOf(makeClient().chat.completions.create(hi, { sessionKey: "\ud800" }));
  expect(failure).toMatchObject({ name: "OpenClawError", message: expect.stringContaining("malformed") });
});

test("models are found by any id", async () => {
  const { client, requests } = scripted(Response.json({ id: "openclaw/main" }));
  expect(await client.models.retrieve("openclaw/main")).toEqual({ id: "openclaw/main" });
  expect(requests[0]).toMatchObject({ url: "http://gateway.test/v1/models/openclaw%2Fmain", init: { method: "GET" } });
});

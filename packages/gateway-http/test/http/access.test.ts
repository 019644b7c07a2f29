import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { sayer } from "../support/agents.ts";
import { exchange, expectEnvelope, readRaw } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const agents = [sayer("x")];
const auth = (settings: object): ConfigInput => ({ gateway: { auth: settings } });

/** `GET /v1/models` with exactly these header lines. */
async function get(port: number, ...lines: string[]) {
  const head = ["GET /v1/models HTTP/1.1", ...lines, "connection: close"].join("\r\n");
  const { status, body } = readRaw(await exchange(port, `${head}\r\n\r\n`));
  return status === 200 ? "ok" : expectEnvelope(status, body).code;
}

test("Host may be an address, localhost, a container's name for its host, or a listed name", async () => {
  const { port } = await startGateway({ agents, config: { gateway: { http: { hosts: ["Gateway.Example"] } } } });
  const ask = (host: string) => get(port, `host: ${host}`, `authorization: Bearer ${TOKEN}`);
  const served = ["127.0.0.1", `127.0.0.1:${port}`, "[::1]:1", "10.1.2.3", "localhost", "a.localhost", "LOCALHOST."];
  served.push("host.docker.internal", "host.containers.internal:18789", "gateway.example", "GATEWAY.example:443");
  for (const host of served) expect(await ask(host), host).toBe("ok");
  const refused = ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost", "a@localhost"];
  for (const host of refused) expect(await ask(host), host).toBe("host_not_allowed");
});

test("the Host is guarded on health too", async () => {
  const { port } = await startGateway({ agents });
  const { status } = readRaw(
    await exchange(port, "GET /healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n"),
  );
  expect(status).toBe(403);
});

test("mode none serves this machine without credentials, and pages only of its own origin", async () => {
  const { port, request } = await startGateway({ agents, config: auth({ mode: "none" }) });
  const host = `host: 127.0.0.1:${port}`;
  expect(await get(port, host)).toBe("ok");
  expect(await get(port, host, "authorization: Bearer whatever")).toBe("ok");
  // A key that was revoked does not come to be allowed everything.
  expect(await get(port, host, "authorization: Bearer sk-oc-revoked")).toBe("invalid_api_key");
  expect(await get(port, host, `origin: http://127.0.0.1:${port}`)).toBe("ok");
  for (const origin of [
    "https://evil.example",
    "null",
    `http://127.0.0.1:${port + 1}`,
    "http://localhost",
    "file://",
  ]) {
    expect(await get(port, host, `origin: ${origin}`), origin).toBe("origin_not_allowed");
  }
  expect((await request("/v1/models", { headers: { authorization: "" } })).status).toBe(200);
});

test("mode none does not serve what a proxy passed on", async () => {
  const { port } = await startGateway({ agents, config: auth({ mode: "none" }) });
  for (const header of ["x-forwarded-for: 203.0.113.9", "forwarded: for=203.0.113.9", "x-real-ip: 127.0.0.1"]) {
    expect(await get(port, "host: localhost", header)).toBe("invalid_api_key");
  }
});

test("with a token any origin may ask: the token is what a page cannot know", async () => {
  const { port } = await startGateway({ agents });
  expect(await get(port, "host: localhost", "origin: https://a.example", `authorization: Bearer ${TOKEN}`)).toBe("ok");
});

test("a token is taken with the scheme in any case, and nothing else is", async () => {
  const { port } = await startGateway({ agents });
  const ask = (value: string) => get(port, "host: localhost", `authorization: ${value}`);
  for (const value of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}`]) expect(await ask(value)).toBe("ok");
  const refused = [TOKEN, "Bearer", `Bearer ${TOKEN}x`, `Token ${TOKEN}`, `Bearer ${TOKEN.slice(1)}`];
  for (const value of refused) expect(await ask(value), value).toBe("invalid_api_key");
});

test("a password is the credential in mode password, UTF-8 or not", async () => {
  const { port } = await startGateway({ agents, config: auth({ mode: "password", password: "schöne Grüße" }) });
  const utf8 = Buffer.from("schöne Grüße").toString("latin1");
  expect(await get(port, "host: localhost", `authorization: Bearer ${utf8}`)).toBe("ok");
  expect(await get(port, "host: localhost", "authorization: Bearer wrong")).toBe("invalid_api_key");
});

test("a token comes from the environment when the config has none", async () => {
  const { request } = await startGateway({
    agents,
    config: auth({}),
    variables: { OPENCLAW_GATEWAY_TOKEN: "from-env" },
  });
  expect((await request("/v1/models", { headers: { authorization: "Bearer from-env" } })).status).toBe(200);
});

test("during a lockout a correct token is served, and a missing one counts for nothing", async () => {
  const rateLimit = { maxAttempts: 2, exemptLoopback: false };
  const { port } = await startGateway({ agents, config: auth({ mode: "token", token: TOKEN, rateLimit }) });
  const host = "host: localhost";
  for (let attempt = 0; attempt < 5; attempt++) expect(await get(port, host)).toBe("invalid_api_key");
  for (const guess of ["a", "b"])
    expect(await get(port, host, `authorization: Bearer ${guess}`)).toBe("invalid_api_key");
  expect(await get(port, host, "authorization: Bearer c")).toBe("too_many_failed_attempts");
  expect(await get(port, host, `authorization: Bearer ${TOKEN}`)).toBe("ok");
});

test("during a lockout a correct password is not", async () => {
  const rateLimit = { maxAttempts: 1, exemptLoopback: false };
  const { port } = await startGateway({ agents, config: auth({ mode: "password", password: "pw-pw-pw", rateLimit }) });
  expect(await get(port, "host: localhost", "authorization: Bearer a")).toBe("invalid_api_key");
  expect(await get(port, "host: localhost", "authorization: Bearer pw-pw-pw")).toBe("too_many_failed_attempts");
});

test("a refusal never repeats the credential", async () => {
  const { request } = await startGateway({ agents });
  const response = await request("/v1/models", { headers: { authorization: "Bearer hunter2-hunter2" } });
  expect(await response.text()).not.toContain("hunter2");
});

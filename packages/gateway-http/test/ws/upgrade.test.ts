import { request as httpRequest } from "node:http";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { createAddressMatcher } from "../../src/config/network.ts";
import { createApp } from "../../src/http/app.ts";
import { clientAddress } from "../../src/http/client-address.ts";
import type { ConfigInput } from "../../src/index.ts";
import { sayer, stepper } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { clientFrame, KEY, upgradeHead } from "../support/raw-frames.ts";
import { exchange, expectEnvelope, openSocket as openTcp, post, readRaw } from "../support/raw-http.ts";
import { connectParams, connectSocket, countSockets, openSocket, SocketClient } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { CA, tlsFiles } from "../support/tls.ts";

const start = (gateway: ConfigInput["gateway"] = {}) => startGateway({ agents: [sayer("Hello")], config: { gateway } });

/** What an upgrade is refused with. */
async function refusal(port: number, head: string) {
  const { status, headers, body } = readRaw(await exchange(port, head));
  return { status, headers, ...expectEnvelope(status, body) };
}

test("sockets are taken at any path, whatever is asked for besides", async () => {
  const { url } = await start();
  for (const path of [
    "/",
    "/v1/chat/completions",
    "/healthz",
    "/a/b?c=d&token=e",
    "//x",
    "/%ff",
    `/${"p".repeat(20_000)}`,
  ]) {
    const client = await connectSocket(url, { path, token: TOKEN });
    expect((await client.request("health")).ok).toBe(true);
  }
});

test("offers of subprotocols and compression are passed over", async () => {
  const { url, port } = await start();
  const offers =
    "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
  const raw = openTcp(port);
  raw.socket.write(upgradeHead().replace("\r\n\r\n", `\r\n${offers}\r\n\r\n`));
  await raw.seen(/connect\.challenge/);
  expect(raw.text()).toMatch(/^HTTP\/1\.1 101 /);
  expect(raw.text()).not.toMatch(/sec-websocket-(?:protocol|extensions)/i);
  raw.socket.destroy();
  const client = await connectSocket(url, { token: TOKEN, ws: { perMessageDeflate: true } });
  expect(client.socket.extensions).toBe("");
});

test("other upgrades are not done: what was asked is answered as usual", async () => {
  const { port } = await start();
  const body = JSON.stringify(hi());
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\n`;
  for (const lines of [
    "upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA",
    "upgrade: websocket, h2c\r\nconnection: upgrade",
    "upgrade: websocket",
  ]) {
    const more = `${lines}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const raw = openTcp(port);
    raw.socket.write(head + more);
    await raw.seen(/"finish_reason":"stop"/);
    expect(raw.text()).toMatch(/^HTTP\/1\.1 200 /);
    raw.socket.destroy();
  }
});

test("an upgrade that is none is refused in the envelope", async () => {
  const { port } = await start();
  const cases: [string, string, number, string][] = [
    ["no key", upgradeHead({ "sec-websocket-key": undefined }), 400, "malformed_request"],
    ["a short key", upgradeHead({ "sec-websocket-key": "abc" }), 400, "malformed_request"],
    ["no version", upgradeHead({ "sec-websocket-version": undefined }), 426, "malformed_request"],
    ["version 99", upgradeHead({ "sec-websocket-version": "99" }), 426, "malformed_request"],
    ["POST", upgradeHead({}, "POST / HTTP/1.1"), 400, "malformed_request"],
    ["a subprotocol that is none", upgradeHead({ "sec-websocket-protocol": "a,,b" }), 400, "malformed_request"],
    ["a foreign host", upgradeHead({ host: "evil.example" }), 421, "host_not_allowed"],
    ["no host", upgradeHead({ host: undefined }), 400, "malformed_request"],
    ["two hosts", upgradeHead({ Host: "localhost" }), 400, "malformed_request"],
    ["a URL of 100 KB", upgradeHead({}, `GET /${"u".repeat(100_000)} HTTP/1.1`), 431, "request_too_large"],
  ];
  for (const [what, head, status, code] of cases) {
    const { headers, ...error } = await refusal(port, head);
    expect(error, what).toMatchObject({ status, code });
    expect(headers["x-request-id"], what).toMatch(/^req_/);
    // What 426 has to say (RFC 9110 §15.5.22), and RFC 6455 §4.4 of a version.
    const offer = { upgrade: "websocket", connection: "close, upgrade", "sec-websocket-version": "13" };
    if (status === 426) expect(headers, what).toMatchObject(offer);
    else expect(headers, what).not.toHaveProperty("upgrade");
  }
  const { headers } = await refusal(port, upgradeHead({ host: "evil.example", "x-request-id": "mine-1" }));
  expect(headers["x-request-id"]).toBe("mine-1");
});

test("an upgrade behind a request that is not answered yet is not done, and ends that one", async () => {
  const { agent, started, say, aborted } = stepper();
  const { port } = await startGateway({ agents: [agent] });
  const chat = post(JSON.stringify(hi({ stream: true })));

  const first = openTcp(port);
  first.socket.write(chat);
  await started;
  say("some words");
  await first.seen(/some words/);
  const answer = first.text();
  first.socket.write(upgradeHead());
  // Not a byte more, which would be read as part of the answer.
  expect(await first.closed).toBe(answer);
  await aborted;

  const second = openTcp(port);
  second.socket.write(chat + upgradeHead());
  const { status, body } = readRaw(await second.closed);
  expect(expectEnvelope(status, body).message).toMatch(/not answered yet/);
  expect(status).toBe(400);
});

test("an upgrade on a connection whose requests are answered is done", async () => {
  const { port } = await start();
  const raw = openTcp(port);
  for (const times of [1, 2]) {
    raw.socket.write(post(JSON.stringify(hi())));
    await raw.seen(new RegExp(`(?:"finish_reason":"stop"[^]*){${times}}`));
  }
  raw.socket.write(upgradeHead());
  await raw.seen(/connect\.challenge/);
  raw.socket.destroy();
});

test("half an upgrade, and one whose client has left, hurt nobody", async () => {
  const door = await start();
  const { port, url } = door;
  const half = openTcp(port);
  half.socket.write(upgradeHead().slice(0, -2));
  for (let i = 0; i < 20; i++) {
    const gone = openTcp(port);
    gone.socket.write(upgradeHead(), () => gone.socket.resetAndDestroy());
    await gone.closed;
  }
  const client = await connectSocket(url, { token: TOKEN });
  await vi.waitFor(async () => expect(await countSockets(door)).toBe(1), 10_000);
  half.socket.write("\r\n");
  await half.seen(/connect\.challenge/);
  half.socket.destroy();
  await client.close();
});

test("what comes in one go with the upgrade is the first frame", async () => {
  const { port } = await start();
  const connect = { type: "req", id: "head", method: "connect", params: connectParams({ token: TOKEN }) };
  const raw = openTcp(port);
  raw.socket.write(Buffer.concat([Buffer.from(upgradeHead()), clientFrame(JSON.stringify(connect))]));
  await raw.seen(/"id":"head","ok":true/);
  raw.socket.destroy();
});

const pages = (more: [string, boolean][]): [string, boolean][] => [
  ["https://evil.example", false],
  ["null", false],
  ["", false],
  ["http://127.0.0.1.evil.example", false],
  ["http://localhost@evil.example", false],
  ["https://listed.example.evil.example", false],
  ["https://listed.example", true],
  ["https://host.example:8443", true],
  ...more,
];
const listed = { cors: { origins: ["https://listed.example"] }, hosts: ["host.example"] };

async function tryPages(url: string, list: [string, boolean][], options: object) {
  for (const [origin, isIn] of list) {
    const client = await openSocket(url, { ws: { headers: { origin } } });
    const { ok, error } = await client.ask("connect", connectParams(options));
    expect(ok, origin).toBe(isIn);
    if (isIn) continue;
    expect(error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringMatching(/^origin not allowed: gateway\.http\.cors\.origins/),
      details: { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED", reason: "origin not allowed" },
    });
    expect((await client.closed).code).toBe(1008);
  }
}

test("with a token the pages of this machine are let in, and those that are listed", async () => {
  const { url } = await start({ http: listed });
  const own: [string, boolean][] = [url, "http://localhost:1", "https://[::1]:5", "http://a.localhost"].map((o) => [
    o,
    true,
  ]);
  await tryPages(url, pages(own), { token: TOKEN });
});

test.each<[string, NonNullable<ConfigInput["gateway"]>["auth"]]>([
  ["none", { mode: "none" }],
  ["trusted-proxy", { mode: "trusted-proxy", trustedProxy: { userHeader: "host" } }],
])("in mode %s another page of this machine is a stranger", async (_mode, auth) => {
  const { url } = await start({ auth, http: listed, trustedProxies: ["127.0.0.1"] });
  await tryPages(
    url,
    pages([
      [url, true],
      ["http://localhost:1", false],
      ["http://127.0.0.1:1", false],
    ]),
    {},
  );
});

test("it is TLS where HTTP is", async () => {
  const { certPath, keyPath } = await tlsFiles();
  const { url, port } = await start({ tls: { certPath, keyPath } });
  expect(url).toMatch(/^https:/);
  const client = await connectSocket(url, { token: TOKEN, ws: { ca: CA } });
  expect((await client.request("health")).ok).toBe(true);
  const { status, body } = readRaw(await exchange(port, upgradeHead()));
  expect(expectEnvelope(status, body)).toMatchObject({ code: "malformed_request" });
  const foreign = new WebSocket(url.replace("https", "wss"), { ca: CA, headers: { host: "evil.example" } });
  const code = await new Promise((resolve) => {
    foreign.on("unexpected-response", (_request, { statusCode }) => resolve(statusCode));
    foreign.on("error", () => {});
  });
  expect(code).toBe(421);
  foreign.terminate();
});

/** The status that an upgrade got. */
function upgradeStatus(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; retryAfter?: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      headers: {
        upgrade: "websocket",
        connection: "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
        ...headers,
      },
    });
    request.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve({ status: 101 });
    });
    request.on("response", ({ statusCode = 0, headers }) =>
      resolve({ status: statusCode, retryAfter: headers["retry-after"] ?? "" }),
    );
    request.on("error", reject);
    request.end();
  });
}

test("of one address 32 may be there that have not said who they are, those of the first moment too", async () => {
  const door = await start();
  const { url } = door;
  const all = Array.from({ length: 40 }, () => new SocketClient(url));
  const codes = await Promise.all(
    all.map(
      ({ socket }) =>
        new Promise((resolve) => {
          socket.on("open", () => resolve(101));
          socket.on("unexpected-response", (_request, { statusCode }) => resolve(statusCode));
        }),
    ),
  );
  expect(codes.filter((code) => code === 101)).toHaveLength(32);
  expect(codes.filter((code) => code === 503)).toHaveLength(8);
  expect(await upgradeStatus(url)).toEqual({ status: 503, retryAfter: "1" });
  const [first, second] = all.filter((_, index) => codes[index] === 101) as [SocketClient, SocketClient];
  await first.untilEvent("connect.challenge");
  await first.request("connect", connectParams({ token: TOKEN }));
  const third = await openSocket(url);
  expect((await upgradeStatus(url)).status).toBe(503);
  second.socket.terminate();
  await vi.waitFor(async () => expect((await upgradeStatus(url)).status).toBe(101), 10_000);
  for (const { socket } of [...all, third]) socket.terminate();
  await vi.waitFor(async () => expect(await countSockets(door)).toBe(0), 10_000);
});

test("behind a proxy it is the client's address that counts", async () => {
  const { url } = await start({ trustedProxies: ["127.0.0.1"] });
  const from = (address: string) => ({ "x-forwarded-for": address });
  const one = Array.from({ length: 32 }, () => openSocket(url, { ws: { headers: from("203.0.113.1") } }));
  await Promise.all(one);
  expect((await upgradeStatus(url, from("203.0.113.1"))).status).toBe(503);
  expect((await upgradeStatus(url, from("203.0.113.1, 203.0.113.2"))).status).toBe(101);
});

test("addresses that no parser likes are a stranger's, and end nothing", async () => {
  const { url, port } = await start({ trustedProxies: ["127.0.0.1", "10.0.0.0/8"] });
  for (const zone of ["-", "a.b", ":", "%", "\x80", ""]) {
    const forwarded = `1.1.1.1, fe80::1%${zone}, 10.1.2.3`;
    const head = `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n`;
    const text = await exchange(port, `${head}x-forwarded-for: ${forwarded}\r\n\r\n`);
    expect(readRaw(text).status, forwarded).toBe(200);
    const raw = openTcp(port);
    raw.socket.write(upgradeHead({ "x-forwarded-for": forwarded }), "latin1");
    await raw.seen(/connect\.challenge/);
    raw.socket.destroy();
  }
  expect((await upgradeStatus(url)).status).toBe(101);
});

test("a gateway that drains takes no more of them, and those that are there hear of its end", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent] });
  const client = await connectSocket(door.url, { token: TOKEN, scopes: [] });
  const answer = ask(door);
  await started;
  const closed = door.gateway.close();
  expect(await upgradeStatus(door.url)).toEqual({ status: 503, retryAfter: "5" });
  end();
  await answer;
  await closed;
  expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
  expect(client.events.at(-1)).toEqual({
    type: "event",
    event: "shutdown",
    payload: { reason: "gateway stopping" },
    seq: 1,
  });
});

test("it ends within its grace with clients that never answer a goodbye", async () => {
  const { gateway, port } = await start();
  const raw = openTcp(port);
  raw.socket.write(upgradeHead());
  await raw.seen(/connect\.challenge/);
  raw.socket.pause();
  const other = openTcp(port);
  other.socket.write(upgradeHead());
  await other.seen(/connect\.challenge/);
  await gateway.close();
  // 1012, and nothing behind it.
  expect((await other.closed).endsWith("\x88\x11\x03\xf4service restart")).toBe(true);
  raw.socket.destroy();
  // Less than ws would wait.
});

test("the address of a client is the one that Fastify finds", async () => {
  const isTrustedProxy = createAddressMatcher(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);
  const http = () => ({
    hosts: [],
    cors: { origins: [] },
    securityHeaders: { strictTransportSecurity: false as const },
  });
  const app = createApp({ http, isTrustedProxy, guardOrigin: false, onBug: () => {} });
  let found: string | undefined;
  app.get("/", (request) => {
    found = clientAddress(request.raw, isTrustedProxy);
    return { ip: request.ip };
  });
  const address = fc.constantFrom(
    "10.1.2.3",
    "127.0.0.1",
    "2001:db8::5",
    "203.0.113.9",
    "::1",
    "unknown",
    "10.1.2.3:80",
    "_x",
    "",
  );
  const zone = fc.string({ unit: fc.constantFrom("-", ".", ":", "%", "e", "0", "/", " ", "\x80"), maxLength: 4 });
  const zoned = fc.tuple(fc.constantFrom("fe80::1", "2001:db8::5", "10.1.2.3"), zone).map((parts) => parts.join("%"));
  const blank = fc.constantFrom("", " ", "\t", "  ");
  const entry = fc.tuple(blank, fc.oneof(address, zoned), blank).map((parts) => parts.join(""));
  const header = fc.option(
    fc.array(entry, { minLength: 1, maxLength: 5 }).map((list) => list.join(",")),
    { nil: undefined },
  );
  const remoteAddress = fc.constantFrom("127.0.0.1", "10.9.9.9", "203.0.113.7", "2001:db8::1");
  await fc.assert(
    fc.asyncProperty(header, remoteAddress, async (forwarded, remoteAddress) => {
      const headers = { host: "localhost", ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) };
      const { statusCode, body } = await app.inject({ url: "/", headers, remoteAddress });
      expect(statusCode).toBe(200);
      expect(found).toBe(JSON.parse(body).ip);
    }),
    { seed: 20261122, numRuns: 500 },
  );
  await app.close();
});

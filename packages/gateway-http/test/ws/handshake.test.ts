import { HelloOkSchema } from "@openclaw/gateway-protocol/schema";
import { Compile } from "typebox/compile";
import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { sayer } from "../support/agents.ts";
import { authWith, tokenOf } from "../support/keys.ts";
import {
  ALL_SCOPES,
  connectParams,
  connectSocket,
  openSocket,
  refused,
  type SocketClient,
  type SocketClientOptions,
} from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

type Auth = NonNullable<ConfigInput["gateway"]>["auth"];

/** Wrong ones are not waited for, and lock nobody out. */
const QUICK = { maxAttempts: 1000, exemptLoopback: false };

const start = (auth: Auth = { mode: "token", token: TOKEN, rateLimit: QUICK }, more: ConfigInput["gateway"] = {}) =>
  startGateway({ agents: [sayer("Hello")], config: { gateway: { auth, ...more } } });

const tryIn = async (url: string, options: SocketClientOptions = {}) =>
  refused(await openSocket(url, options), connectParams(options));

test("a client that knows the token is let in, with what it asked for", async () => {
  const { url } = await startGateway();
  const client = await connectSocket(url, { token: TOKEN, scopes: ["operator.read", "x.unknown"] });
  expect(client.frames[0]).toMatchObject({ type: "event", event: "connect.challenge" });
  expect(client.frames[0]).not.toHaveProperty("seq");
  const hello = Compile(HelloOkSchema);
  expect([...hello.Errors(client.hello)]).toEqual([]);
  expect(client.hello).toMatchObject({
    type: "hello-ok",
    protocol: 4,
    auth: { role: "operator", scopes: ["operator.read", "x.unknown"] },
    policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
    snapshot: { sessionDefaults: { mainSessionKey: "agent:main:main" }, authMode: "token" },
  });
  expect(client.hello.auth).not.toHaveProperty("deviceToken");
  expect(client.hello.features).not.toHaveProperty("capabilities");
});

test("what a client says of itself may be as long as the frame", async () => {
  const { url } = await start();
  const client = await openSocket(url);
  const long = "x".repeat(4000);
  const words = Array.from({ length: 200 }, (_, index) => `word-${index}`);
  const params = connectParams({ token: TOKEN });
  const named = { displayName: long, deviceFamily: long, modelIdentifier: long, instanceId: long };
  const { ok, error } = await client.ask("connect", {
    ...params,
    client: { ...params.client, ...named, buildId: "b".repeat(96), timeZone: "z".repeat(64) },
    ...{ locale: long, userAgent: long, caps: words, scopes: words },
  });
  expect([ok, error]).toEqual([true, undefined]);
});

test.each([
  ["no JSON", "hello", 1000, ""],
  ["no JSON, but bytes", Buffer.of(0xff, 0xfe), 1000, ""],
  ["an array", "[]", 1008, "invalid request frame"],
  ["null", "null", 1008, "invalid request frame"],
  ["an event", '{"type":"event","event":"tick"}', 1008, "invalid request frame"],
  ["no id", '{"type":"req","method":"connect"}', 1008, "invalid request frame"],
  ["an empty id", '{"type":"req","id":"","method":"connect"}', 1008, "invalid request frame"],
  ["a key too many", '{"type":"req","id":"1","method":"connect","x":1}', 1008, "invalid request frame"],
  ["__proto__", '{"type":"req","id":"1","method":"connect","__proto__":{}}', 1008, "invalid request frame"],
])("%s as the first frame ends the connection without an answer", async (_what, frame, code, reason) => {
  const { url } = await start();
  const client = await openSocket(url);
  client.socket.send(frame);
  expect(await client.closed).toEqual({ code, reason });
  expect(client.frames).toHaveLength(1);
});

test("the first request must be connect", async () => {
  const { url } = await start();
  const client = await openSocket(url);
  const message = "invalid handshake: first request must be connect";
  const { ok, error } = await client.ask("health");
  expect({ ok, error }).toEqual({ ok: false, error: { code: "INVALID_REQUEST", message } });
  expect(await client.closed).toEqual({ code: 1008, reason: message });
});

test("params that are wrong are named, in the close frame too", async () => {
  const { url } = await start();
  const { client, ...good } = connectParams({ token: TOKEN });
  const wrong: [string, unknown][] = [
    ["at root", undefined],
    ["at root", null],
    ["at root", []],
    ["at root", "x"],
    ["at /minProtocol", { ...good, client, minProtocol: "4" }],
    ["at /maxProtocol", { ...good, client, maxProtocol: 4.5 }],
    ["at /maxProtocol", { ...good, client, maxProtocol: -1 }],
    ["at /client", good],
    ["at /client/id", { ...good, client: { ...client, id: "" } }],
    ["at /client/mode", { ...good, client: { ...client, mode: undefined } }],
    ["at /client/version", { ...good, client: { ...client, version: 1 } }],
    ["at /client/buildId", { ...good, client: { ...client, buildId: "b".repeat(97) } }],
    ["at /client/timeZone", { ...good, client: { ...client, timeZone: "z".repeat(65) } }],
    ["at /scopes", { ...good, client, scopes: "operator.read" }],
    ["at /scopes/1", { ...good, client, scopes: ["operator.read", 1] }],
    ["at /caps", { ...good, client, caps: {} }],
    ["at /auth", { ...good, client, auth: TOKEN }],
    ["at /auth/token", { ...good, client, auth: { token: [TOKEN] } }],
    ["at /device/signedAt", { ...good, client, device: { id: "a", publicKey: "b", signature: "c", signedAt: "now" } }],
  ];
  for (const [where, params] of wrong) {
    const { error, code, reason } = await refused(await openSocket(url), params);
    expect(error).toEqual({
      code: "INVALID_REQUEST",
      message: expect.stringMatching("^invalid connect params: at /?"),
    });
    expect(error?.message).toContain(`${where}: `);
    expect(error?.message).not.toContain(TOKEN);
    expect(code).toBe(1008);
    expect(error?.message.startsWith(reason) && reason.length > 20).toBe(true);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  }
});

test("keys that nobody knows change nothing, at any place of connect", async () => {
  const { url } = await start();
  const { client } = connectParams();
  const params = { x: 1, permissions: {}, computerUse: {}, client: { ...client, next: [] } };
  const { hello } = await connectSocket(url, { auth: { token: TOKEN, approvalRuntimeToken: "a" }, params });
  expect(hello.auth.scopes).toEqual(ALL_SCOPES);
});

test.each(["node", "", "Operator", "admin"])("role %j is none", async (role) => {
  const { url } = await start();
  const answer = await tryIn(url, { token: TOKEN, params: { role } });
  expect(answer).toEqual({
    error: { code: "INVALID_REQUEST", message: "invalid role" },
    code: 1008,
    reason: "invalid role",
  });
});

test.each([
  ["backend", 4, 4, true],
  ["backend", 1, 9, true],
  ["backend", 3, 4, true],
  ["backend", 3, 3, false],
  ["backend", 5, 6, false],
  ["backend", 6, 3, false],
  ["probe", 3, 4, true],
  ["probe", 3, 3, true],
  ["probe", 1, 3, true],
  ["probe", 1, 2, false],
  ["probe", 5, 5, false],
])("mode %s with versions %i to %i is let in: %s", async (mode, minProtocol, maxProtocol, isIn) => {
  const { url } = await start();
  const { client } = connectParams();
  const options = { token: TOKEN, params: { minProtocol, maxProtocol, client: { ...client, mode } } };
  if (isIn) {
    expect((await connectSocket(url, options)).hello.protocol).toBe(4);
    return;
  }
  expect(await tryIn(url, options)).toEqual({
    error: {
      code: "INVALID_REQUEST",
      message: "protocol mismatch",
      details: {
        code: "PROTOCOL_MISMATCH",
        clientMinProtocol: minProtocol,
        clientMaxProtocol: maxProtocol,
        expectedProtocol: 4,
        minimumProbeProtocol: 3,
      },
    },
    code: 1002,
    reason: "protocol mismatch",
  });
});

test("ids, modes, scopes and languages of any kind are let in", async () => {
  const { url } = await start();
  const { client } = connectParams();
  for (const [id, mode] of [
    ["openclaw-tui", "ui"],
    ["webchat", "webchat"],
    ["test", "probe"],
    ["Über-client 😀", "none of those"],
  ]) {
    const { hello } = await connectSocket(url, {
      token: TOKEN,
      scopes: ["operator.write", "", "operator.write"],
      params: { client: { ...client, id, mode }, locale: "de-DE" },
    });
    expect(hello.auth).toEqual({ role: "operator", scopes: ["operator.write", ""] });
  }
  const { hello } = await connectSocket(url, { token: TOKEN, params: { scopes: undefined, caps: undefined } });
  expect(hello.auth.scopes).toEqual([]);
});

test("the token may come as token or as password, with blanks around it", async () => {
  const { url } = await start();
  for (const auth of [
    { token: TOKEN },
    { password: TOKEN },
    { token: "", password: TOKEN },
    { token: ` ${TOKEN}\n` },
  ]) {
    expect((await connectSocket(url, { auth })).hello.auth.role).toBe("operator");
  }
});

test("a wrong token, none, and a device's token are refused in the words clients know", async () => {
  const { url } = await start();
  const details = (code: string, authReason: string, recommendedNextStep: string) => ({
    code,
    authReason,
    canRetryWithDeviceToken: false,
    recommendedNextStep,
  });
  const wrong = details("AUTH_TOKEN_MISMATCH", "token_mismatch", "update_auth_credentials");
  const none = details("AUTH_TOKEN_MISSING", "token_missing", "update_auth_configuration");
  const device = details("AUTH_DEVICE_TOKEN_MISMATCH", "device_token_mismatch", "update_auth_credentials");
  const cases: [object | undefined, string, object][] = [
    [{ token: "wrong-secret-1" }, "unauthorized: gateway token mismatch (Wrong token.)", wrong],
    [{ password: "wrong-secret-1" }, "unauthorized: gateway token mismatch (Wrong token.)", wrong],
    [
      { token: "two\nlines-secret-1" },
      "unauthorized: gateway token mismatch (send it as auth.token of connect)",
      wrong,
    ],
    [{ token: "wrong-secret-1", password: TOKEN }, "unauthorized: gateway token mismatch (Wrong token.)", wrong],
    [undefined, "unauthorized: gateway token missing (send it as auth.token of connect)", none],
    [{}, "unauthorized: gateway token missing (send it as auth.token of connect)", none],
    [{ token: "  ", password: "" }, "unauthorized: gateway token missing (send it as auth.token of connect)", none],
    [{ bootstrapToken: "b" }, "unauthorized: gateway token missing (send it as auth.token of connect)", none],
    [{ deviceToken: "d" }, "unauthorized: device token mismatch (send it as auth.token of connect)", device],
    [{ deviceToken: "d", token: "wrong-secret-1" }, "unauthorized: device token mismatch (Wrong token.)", device],
  ];
  for (const [auth, message, details] of cases) {
    const { error, code, reason } = await tryIn(url, auth ? { auth } : {});
    expect(error).toEqual({ code: "INVALID_REQUEST", message, details });
    expect([code, reason]).toEqual([1008, message]);
  }
  const { hello } = await connectSocket(url, { auth: { token: TOKEN, deviceToken: "of another gateway" } });
  expect(hello.auth).not.toHaveProperty("deviceToken");
});

test("in mode password it is the password, in any alphabet, in either member", async () => {
  const password = "Öffne dich, 芝麻!";
  const { url } = await start({ mode: "password", password, rateLimit: QUICK });
  for (const auth of [{ password }, { token: password }, { password, token: "left over" }]) {
    expect((await connectSocket(url, { auth })).hello.snapshot.authMode).toBe("password");
  }
  expect((await tryIn(url, { auth: { password: "no" } })).error).toMatchObject({
    message: "unauthorized: gateway password mismatch (Wrong password.)",
    details: { code: "AUTH_PASSWORD_MISMATCH", authReason: "password_mismatch" },
  });
  expect((await tryIn(url)).error).toMatchObject({
    message: "unauthorized: gateway password missing (send it as auth.password of connect)",
    details: { code: "AUTH_PASSWORD_MISSING", authReason: "password_missing" },
  });
});

test("a key is let in with the scopes that it may have; one that expired is not", async () => {
  const { url } = await start(
    authWith({
      ann: {},
      reader: { scopes: ["models"] },
      boss: { scopes: ["admin", "chat"] },
      old: { expiresAt: "2020-01-01" },
    }),
  );
  const scopesOf = async (who: string, scopes?: string[]) =>
    (await connectSocket(url, { token: tokenOf(who), ...(scopes && { scopes }) })).hello.auth.scopes;
  expect(await scopesOf("ann", [...ALL_SCOPES, "operator.approvals", "else"])).toEqual([
    "operator.read",
    "operator.write",
    "operator.approvals",
  ]);
  expect(await scopesOf("reader")).toEqual(["operator.read"]);
  expect(await scopesOf("boss", [...ALL_SCOPES, "else"])).toEqual([...ALL_SCOPES, "else"]);
  const { error, code } = await tryIn(url, { token: tokenOf("old") });
  expect(error).toMatchObject({
    message: "unauthorized: gateway token mismatch (This key has expired.)",
    details: { code: "AUTH_TOKEN_MISMATCH" },
  });
  expect(code).toBe(1008);
});

test("behind a proxy its user is the owner; without one nobody is let in, but by a key", async () => {
  const trustedProxy = { userHeader: "x-forwarded-user", allowUsers: ["ann"] };
  const auth: Auth = {
    mode: "trusted-proxy",
    trustedProxy,
    rateLimit: QUICK,
    keys: [{ id: "ci", token: tokenOf("ci") }],
  };
  const { url } = await start(auth, { trustedProxies: ["127.0.0.1"] });
  const by = (user: string) => ({ ws: { headers: { "x-forwarded-user": user } } });
  const ann = await connectSocket(url, by("ann"));
  expect(ann.hello).toMatchObject({
    auth: { scopes: ["operator.read", "operator.write"] },
    snapshot: { authMode: "trusted-proxy" },
  });
  const ci = await connectSocket(url, { ...by("ann"), token: tokenOf("ci") });
  await ann.request("sessions.create", { key: "hers" });
  await ci.request("sessions.create", { key: "its" });
  const keysOf = async (client: SocketClient) =>
    (await client.request("sessions.list")).sessions.map(({ key }: { key: string }) => key);
  expect(await keysOf(ann)).toEqual(["agent:main:hers"]);
  expect(await keysOf(ci)).toEqual(["agent:main:its"]);
  for (const options of [{}, by("bob"), { auth: { deviceToken: "d" } }]) {
    const { error, code } = await tryIn(url, options);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^unauthorized: not let in \(.*gateway\.auth\.trustedProxy/),
      details: {
        code: "AUTH_IDENTITY_HEADER_REQUIRED",
        authReason: "not_proxied",
        recommendedNextStep: "review_auth_configuration",
      },
    });
    expect(code).toBe(1008);
  }
});

test("in mode none this machine is let in, whatever it sends, and nobody through a proxy", async () => {
  const { url } = await start({ mode: "none", rateLimit: QUICK });
  for (const auth of [undefined, { token: "anything" }, { deviceToken: "d" }]) {
    expect((await connectSocket(url, auth ? { auth } : {})).hello.auth.scopes).toEqual(ALL_SCOPES);
  }
  const { error } = await tryIn(url, { token: "sk-oc-no-such-key" });
  expect(error?.details).toMatchObject({ code: "AUTH_TOKEN_MISMATCH" });
  for (const name of ["x-forwarded-for", "forwarded", "x-real-ip"]) {
    const { error } = await tryIn(url, { ws: { headers: { [name]: "127.0.0.1" } } });
    expect(error?.details).toMatchObject({ code: "AUTH_VERIFIED_USER_REQUIRED", authReason: "not_local" });
  }
});

import { expect, test } from "vitest";
import { sayer } from "../support/agents.ts";
import { clientFrame, closeCodeOf, OPCODE, openRawSocket } from "../support/raw-frames.ts";
import { connectParams, connectSocket, openSocket, type SocketClient } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const guest = async (scopes?: string[]) => {
  const gateway = await startGateway({ agents: [sayer("Hello")] });
  return { ...gateway, client: await connectSocket(gateway.url, { token: TOKEN, ...(scopes && { scopes }) }) };
};

/** Its error, and that the connection goes on. */
async function errorOf(client: SocketClient, method: string, params?: unknown) {
  const { ok, error } = await client.ask(method, params);
  expect(ok).toBe(false);
  expect((await client.request("question.list")).questions).toEqual([]);
  return error;
}

test("what is no JSON is passed over, as text and as bytes", async () => {
  const { client } = await guest();
  const before = client.frames.length;
  for (const text of ["", " ", "{", "undefined", "NaN", "{}{}", "'x'", "\u0000"]) client.socket.send(text);
  client.socket.send(Buffer.of(0xff, 0xfe, 0x00));
  client.socket.send(Buffer.alloc(0));
  await client.request("question.list");
  expect(client.frames).toHaveLength(before + 1);
});

test("an envelope that is none is answered under its id, or as invalid", async () => {
  const { client } = await guest();
  const cases: [string, string][] = [
    ["null", "invalid"],
    ["[]", "invalid"],
    ["5", "invalid"],
    ['"req"', "invalid"],
    ["{}", "invalid"],
    ['{"id":""}', "invalid"],
    ['{"id":5,"type":"req","method":"health"}', "invalid"],
    ['{"id":["a"],"type":"req","method":"health"}', "invalid"],
    ['{"id":"a","type":"res","ok":true}', "a"],
    ['{"id":"b","type":"req"}', "b"],
    ['{"id":"c","type":"req","method":""}', "c"],
    ['{"id":"d","type":"req","method":"health","x":1}', "d"],
    ['{"id":"e","type":"req","method":"health","__proto__":{"x":1}}', "e"],
    ['{"id":"f","type":"req","method":"health","constructor":{}}', "f"],
    [`{"id":"g","type":"req","method":"health","traceparent":"${"t".repeat(129)}"}`, "g"],
    [`{"id":"${"h".repeat(5000)}","type":"req"}`, "h".repeat(1024)],
  ];
  for (const [text, id] of cases) {
    const from = client.frames.length;
    client.send(text);
    const frame = await client.until((some) => some.type === "res", from);
    expect(frame, text).toEqual({
      type: "res",
      id,
      ok: false,
      error: { code: "INVALID_REQUEST", message: expect.stringMatching(/^invalid request frame: at /) },
    });
  }
  expect((await client.request("health")).ok).toBe(true);
});

test("connect once is enough, and nobody knows other methods", async () => {
  const { client } = await guest();
  expect(await errorOf(client, "connect", connectParams({ token: TOKEN }))).toEqual({
    code: "INVALID_REQUEST",
    message: "connect is only valid as the first request",
  });
  for (const name of [
    "nodes.list",
    "Health",
    " health",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "😀",
  ]) {
    expect(await errorOf(client, name)).toEqual({ code: "INVALID_REQUEST", message: `unknown method: ${name}` });
  }
  const long = await errorOf(client, "m".repeat(100_000));
  expect(long?.message).toBe(`unknown method: ${"m".repeat(100)}`);
});

test("a scope that is missing is named, before anything else is looked at", async () => {
  const { client: nothing, url } = await guest([]);
  expect((await nothing.request("health")).ok).toBe(true);
  const missing = (scope: string) => ({
    code: "FORBIDDEN",
    message: `missing scope: ${scope}`,
    details: { code: "MISSING_SCOPE", missingScope: scope, requiredScopes: [scope] },
  });
  const reads = async (client: SocketClient, method: string) => (await client.ask(method, [])).error;
  expect(await reads(nothing, "sessions.list")).toEqual(missing("operator.read"));
  expect(await reads(nothing, "chat.send")).toEqual(missing("operator.write"));
  expect(await reads(nothing, "question.list")).toEqual(missing("operator.questions"));
  expect(await reads(nothing, "plugin.approval.list")).toEqual(missing("operator.approvals"));
  expect((await reads(nothing, "no.such"))?.message).toBe("unknown method: no.such");
  const writer = await connectSocket(url, { token: TOKEN, scopes: ["operator.write"] });
  expect((await writer.request("sessions.list")).sessions).toEqual([]);
  expect(await reads(writer, "sessions.reset")).toEqual(missing("operator.admin"));
  const admin = await connectSocket(url, { token: TOKEN, scopes: ["operator.admin"] });
  for (const method of ["question.list", "plugin.approval.list", "sessions.list"]) await admin.request(method);
});

test("params may be absent or null, and are an object otherwise", async () => {
  const { client } = await guest();
  expect((await client.request("sessions.list")).sessions).toEqual([]);
  expect((await client.request("sessions.list", null)).sessions).toEqual([]);
  expect((await client.request("sessions.list", { nobodyKnowsThis: 1, ["__proto__"]: 2 })).sessions).toEqual([]);
  expect(await errorOf(client, "sessions.list", [])).toEqual({
    code: "INVALID_REQUEST",
    message: "invalid sessions.list params: must be object",
  });
  for (const params of ["x", 5, true]) {
    expect((await errorOf(client, "sessions.list", params))?.message).toMatch(
      /^invalid sessions\.list params: at root: /,
    );
  }
});

test.each<[string, unknown, string]>([
  ["sessions.list", { limit: "5" }, "/limit"],
  ["sessions.list", { search: {} }, "/search"],
  ["chat.history", {}, "/sessionKey"],
  ["chat.history", { sessionKey: "main", limit: 0 }, "/limit"],
  ["chat.history", { sessionKey: "main", limit: 1.5 }, "/limit"],
  ["chat.send", { sessionKey: "main", idempotencyKey: "k" }, "/message"],
  ["chat.send", { sessionKey: "main", message: "x" }, "/idempotencyKey"],
  ["chat.send", { sessionKey: "main", message: ["x"], idempotencyKey: "k" }, "/message"],
  ["agent", { message: "x" }, "/idempotencyKey"],
  ["agent", { message: "x", idempotencyKey: "k", timeout: -1 }, "/timeout"],
  ["agent.wait", { runId: 5 }, "/runId"],
  ["sessions.patch", {}, "/key"],
  ["sessions.delete", { key: null }, "/key"],
])("%s with %j is told what is wrong with %s", async (method, params, where) => {
  const { client } = await guest();
  const error = await errorOf(client, method, params);
  expect(error?.code).toBe("INVALID_REQUEST");
  expect(error?.message).toContain(`invalid ${method} params: at ${where}: `);
});

test("keys that are malformed, and text that a session cannot have, are refused", async () => {
  const { client } = await guest();
  for (const sessionKey of ["agent::x", "agent:main", "", " ", "a\u0000b", "\ud800", "k".repeat(600)]) {
    for (const method of ["chat.history", "chat.send"]) {
      const error = await errorOf(client, method, { sessionKey, message: "x", idempotencyKey: "k" });
      expect(error?.code, `${method} ${sessionKey}`).toBe("INVALID_REQUEST");
    }
  }
  expect((await client.request("sessions.list")).sessions).toEqual([]);
});

test("requests may come as bytes and in pieces, with pings between them", async () => {
  const { client, port } = await guest();
  const request = (id: string) => JSON.stringify({ type: "req", id, method: "question.list" });
  client.socket.send(Buffer.from(request("bytes")));
  await client.until((frame) => frame.id === "bytes");
  const raw = await openRawSocket(port);
  const connect = { type: "req", id: "c", method: "connect", params: connectParams({ token: TOKEN }) };
  const parts = JSON.stringify(connect).match(/.{1,50}/g) as string[];
  for (const [index, part] of parts.entries()) {
    const opcode = index === 0 ? OPCODE.text : OPCODE.more;
    raw.socket.write(clientFrame(part, { opcode, fin: index === parts.length - 1 }));
    raw.socket.write(clientFrame("between", { opcode: OPCODE.ping }));
    raw.socket.write(clientFrame("", { opcode: OPCODE.pong }));
  }
  await raw.seen(/"id":"c","ok":true/);
  expect(raw.text()).toContain("\x8a\x07between");
  for (const byte of clientFrame(request("byte by byte"))) raw.socket.write(Buffer.of(byte));
  await raw.seen(/"id":"byte by byte","ok":true/);
  raw.socket.write(clientFrame(Buffer.of(0x03, 0xe8), { opcode: OPCODE.close }));
  expect(closeCodeOf(await raw.closed)).toBe(1000);
});

test.each<[string, Uint8Array, number]>([
  ["text that is no UTF-8", clientFrame(Buffer.of(0x7b, 0xff, 0x7d)), 1007],
  ["a reserved opcode", clientFrame("x", { opcode: 3 }), 1002],
  ["another one", clientFrame("x", { opcode: 11 }), 1002],
  ["a reserved bit", clientFrame("x", { reserved: 4 }), 1002],
  ["no mask", clientFrame("x", { masked: false }), 1002],
  ["a piece of nothing", clientFrame("x", { opcode: OPCODE.more }), 1002],
  ["a ping in pieces", clientFrame("x", { opcode: OPCODE.ping, fin: false }), 1002],
  ["a ping that is too long", clientFrame("x".repeat(126), { opcode: OPCODE.ping }), 1002],
  ["half a close code", clientFrame("x", { opcode: OPCODE.close }), 1002],
  ["a close code that nobody may send", clientFrame(Buffer.of(0x03, 0xed), { opcode: OPCODE.close }), 1002],
  ["a close reason that is no UTF-8", clientFrame(Buffer.of(0x03, 0xe8, 0xff), { opcode: OPCODE.close }), 1007],
])("%s ends the connection as RFC 6455 has it, before hello and after", async (_what, bytes, code) => {
  const { port, client } = await guest();
  const stranger = await openRawSocket(port);
  stranger.socket.write(bytes);
  expect(closeCodeOf(await stranger.closed)).toBe(code);
  const raw = await openRawSocket(port);
  const connect = { type: "req", id: "c", method: "connect", params: connectParams({ token: TOKEN, scopes: [] }) };
  raw.socket.write(clientFrame(JSON.stringify(connect)));
  await raw.seen(/"id":"c","ok":true/);
  raw.socket.write(bytes);
  expect(closeCodeOf(await raw.closed)).toBe(code);
  expect((await client.request("health")).ok).toBe(true);
});

test("before hello a frame may have 64 KiB, after it 25 MiB, and not one byte more", async () => {
  const { url } = await startGateway();
  const padded = (frame: object, size: number) => {
    const text = JSON.stringify(frame);
    return text + " ".repeat(size - text.length);
  };
  const connect = { type: "req", id: "c", method: "connect", params: connectParams({ token: TOKEN }) };
  const stranger = await openSocket(url);
  stranger.send(padded(connect, 65_537));
  expect((await stranger.closed).code).toBe(1009);
  const client = await openSocket(url);
  client.send(padded(connect, 65_536));
  expect(await client.until((frame) => frame.id === "c")).toMatchObject({ ok: true });
  const ask = { type: "req", id: "big", method: "question.list" };
  client.send(padded(ask, 26_214_400));
  expect(await client.until((frame) => frame.id === "big")).toMatchObject({ ok: true });
  client.send(padded(ask, 26_214_401));
  expect((await client.closed).code).toBe(1009);
  const pieces = await connectSocket(url, { token: TOKEN });
  for (let sent = 0; sent < 27; sent++) pieces.socket.send("x".repeat(2 ** 20), { fin: false });
  expect((await pieces.closed).code).toBe(1009);
});

test("JSON that is deep, and members that mean something to JavaScript, are nothing special", async () => {
  const { client } = await guest();
  const frame = (params: string, method = "sessions.list") =>
    `{"type":"req","id":"x","method":"${method}","params":${params}}`;
  const deep = `${'{"a":['.repeat(100_000)}${"]}".repeat(100_000)}`;
  const evil = '{"polluted":1}';
  const all = [
    frame(deep),
    frame(`{"search":${deep}}`),
    frame(deep, "chat.send"),
    frame(`{"attachments":${deep},"sessionKey":"main","message":"x","idempotencyKey":"deep"}`, "chat.send"),
    frame(`{"__proto__":${evil},"constructor":{"prototype":${evil}},"toString":1,"then":1}`),
    `{"type":"req","id":"x","method":"sessions.list","__proto__":${evil}}`,
    deep,
  ];
  for (const text of all) {
    const from = client.frames.length;
    client.send(text);
    const { error } = await client.until<{ error?: { code: string } }>((some) => some.type === "res", from);
    expect([undefined, "INVALID_REQUEST"], text.slice(0, 100)).toContain(error?.code);
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("one id may ask twice, and both are answered", async () => {
  const { client } = await guest();
  for (let i = 0; i < 3; i++) client.send({ type: "req", id: "same", method: "question.list" });
  await client.request("question.list");
  expect(client.frames.filter((frame) => "id" in frame && frame.id === "same")).toHaveLength(3);
});

test("a thousand requests may be under way, and the next one is told to wait", async () => {
  const { client } = await guest();
  const wait = (id: string) =>
    client.send({ type: "req", id, method: "agent.wait", params: { runId: "nobody", timeoutMs: 600_000 } });
  for (let i = 0; i < 1000; i++) wait(`w${i}`);
  wait("more");
  expect(await client.until((frame) => frame.type === "res", 2)).toEqual({
    type: "res",
    id: "more",
    ok: false,
    error: { code: "UNAVAILABLE", message: "more than 1000 requests are under way", retryable: true },
  });
  await client.close();
});

test("a frame may come in 16 pieces before hello, in 16,384 after it, not in more", async () => {
  const { url } = await startGateway();
  const connect = JSON.stringify({ type: "req", id: "c", method: "connect", params: connectParams({ token: TOKEN }) });
  const stranger = await openSocket(url);
  for (let sent = 0; sent < 17; sent++) stranger.socket.send(connect.charAt(sent), { fin: false });
  expect((await stranger.closed).code).toBe(1008);
  const patient = await openSocket(url);
  for (let sent = 0; sent < 15; sent++) patient.socket.send(connect.charAt(sent), { fin: false });
  patient.send(connect.slice(15));
  expect(await patient.until((frame) => frame.id === "c")).toMatchObject({ ok: true });
  const client = await connectSocket(url, { token: TOKEN });
  for (let sent = 0; sent < 16_385; sent++) client.socket.send("x", { fin: false });
  expect((await client.closed).code).toBe(1008);
});

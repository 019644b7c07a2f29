import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OpenClawError } from "../../src/index.ts";
import { createSocket, type SocketOptions, type SocketStatus } from "../../src/socket/index.ts";
import { failureOf, TOKEN } from "../support/client.ts";
import { type FakeSocket, fakeWebSocket, HELLO, settle } from "../support/fake-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const BASE_URL = "http://gateway.test";

async function open(options: Partial<SocketOptions> = {}) {
  const { sockets, WebSocket } = fakeWebSocket();
  const socket = createSocket({ baseUrl: BASE_URL, token: TOKEN, WebSocket, ...options });
  const statuses: SocketStatus[] = [];
  socket.on("status", (status) => statuses.push(status));
  const connected = socket.connect();
  connected.catch(() => {});
  await settle();
  return { socket, sockets, statuses, connected, first: sockets[0] as FakeSocket };
}

const states = (statuses: SocketStatus[]) => statuses.map(({ state }) => state);

test("it waits for the challenge, says who it is, and has a hello", async () => {
  const { socket, connected, first, statuses } = await open();
  expect(first.url).toBe("ws://gateway.test/");
  expect(first.requests).toEqual([]);
  first.challenge();
  first.challenge();
  expect(first.requests).toEqual([
    {
      type: "req",
      id: "1",
      method: "connect",
      params: {
        minProtocol: 4,
        maxProtocol: 4,
        client: { id: "gateway-client", version: "unknown", platform: expect.any(String), mode: "backend" },
        caps: ["tool-events"],
        role: "operator",
        scopes: ["operator.read", "operator.write"],
        auth: { token: TOKEN, password: TOKEN },
      },
    },
  ]);
  first.answer(HELLO);
  expect(await connected).toEqual(HELLO);
  expect(socket.status).toEqual({ state: "ready", hello: HELLO });
  expect(states(statuses)).toEqual(["connecting", "ready"]);
  socket.close();
});

test("what a page says of itself", async () => {
  vi.stubGlobal("document", {});
  const { first } = await open();
  first.challenge();
  expect(first.last().params).toMatchObject({ client: { id: "webchat", mode: "webchat" } });
  vi.unstubAllGlobals();
});

test("who connects, what for, and with what can be told", async () => {
  const { sockets, WebSocket } = fakeWebSocket();
  const client = { id: "cli", version: "7", platform: "os", mode: "cli", displayName: "Ann" };
  const socket = createSocket({ baseUrl: BASE_URL, WebSocket, client, scopes: ["operator.admin"], caps: [] });
  void socket.connect();
  await settle();
  sockets[0]?.challenge();
  expect(sockets[0]?.last().params).toMatchObject({ client, scopes: ["operator.admin"], caps: [] });
  expect(sockets[0]?.last().params).not.toHaveProperty("auth");
});

test.each([
  ["http://gateway.test:18789", "ws://gateway.test:18789/"],
  ["https://gateway.test/behind/v1/", "wss://gateway.test/behind/"],
  ["ws://gateway.test", "ws://gateway.test/"],
  ["WSS://gateway.test/", "wss://gateway.test/"],
])("the address %s becomes %s", async (baseUrl, url) => {
  expect((await open({ baseUrl })).first.url).toBe(url);
});

test.each([
  [{ baseUrl: "gateway.test" }, "`baseUrl` must be a URL"],
  [{ baseUrl: "ws://ann:secret@gateway.test" }, "`baseUrl` must not hold a user or password."],
  [{ token: "two words" }, "`token` must be visible ASCII"],
  [{ token: undefined }, "`token` is neither a string nor a function"],
  [{ apiKey: "secret" }, "`apiKey` is no option. Did you mean `token`?"],
  [{ timeout: 0 }, "`timeout`"],
  [{ scopes: "operator.read" }, "`scopes` must be a list."],
  [{ WebSocket: "ws" }, "There is no `WebSocket` here"],
])("%j cannot work", (options, message) => {
  const make = () => createSocket({ baseUrl: BASE_URL, ...options } as never);
  expect(make).toThrow(OpenClawError);
  expect(make).toThrow(message);
  expect(make).not.toThrow(/secret|two words/);
  expect(() => createSocket(undefined as never)).toThrow("createSocket needs options: { baseUrl, token }.");
});

test.each([
  ["INVALID_REQUEST", { code: "AUTH_TOKEN_MISMATCH" }],
  ["INVALID_REQUEST", { code: "PROTOCOL_MISMATCH" }],
  ["INVALID_REQUEST", { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" }],
  ["NOT_PAIRED", undefined],
])("a handshake refused with %s %j ends it, and everybody hears why", async (code, details) => {
  const { socket, sockets, connected, first, statuses } = await open();
  const waiting = failureOf(socket.request("health"));
  const sending = failureOf(socket.send("main", "hi"));
  first.challenge();
  first.refuse({ code, message: "No.", details });
  const error = await failureOf(connected);
  expect(error).toMatchObject({ name: "SocketError", code, message: "No.", details, retryable: false });
  expect(await waiting).toBe(error);
  expect(await sending).toBe(error);
  expect(statuses.at(-1)).toEqual({ state: "closed", error });
  await settle(600_000);
  expect(sockets).toHaveLength(1);
  expect(await failureOf(socket.request("health"))).toBe(error);

  const again = socket.connect();
  await settle();
  sockets[1]?.accept();
  expect(await again).toEqual(HELLO);
});

test("so does being shut out", async () => {
  const { socket, sockets, first } = await open();
  first.accept();
  const request = failureOf(socket.request("health"));
  await settle();
  first.cut(4001, "credentials invalidated");
  expect(await request).toMatchObject({
    name: "ConnectionError",
    message: "The connection was closed (4001 credentials invalidated).",
  });
  expect(socket.status.state).toBe("closed");
  await settle(600_000);
  expect(sockets).toHaveLength(1);
});

test("it tries again ever more slowly, and fast once it has been let in", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const { sockets, statuses } = await open();
  const delays = () => statuses.flatMap((status) => (status.state === "waiting" ? status.delayMs : []));
  for (let attempt = 0; attempt < 7; attempt++) {
    if (attempt % 2) sockets.at(-1)?.cut();
    else sockets.at(-1)?.onerror({ error: new Error("refused") });
    await settle(delays().at(-1));
    expect(sockets).toHaveLength(attempt + 2);
  }
  expect(delays()).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  sockets.at(-1)?.accept();
  sockets.at(-1)?.cut();
  expect(delays().at(-1)).toBe(1000);
  vi.spyOn(Math, "random").mockReturnValue(1);
  await settle(1000);
  sockets.at(-1)?.cut();
  expect(delays().at(-1)).toBe(1500);
});

test("it comes when it is told to", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  const { socket, sockets, statuses, first } = await open();
  const delay = () => (socket.status.state === "waiting" ? socket.status.delayMs : socket.status);
  first.challenge();
  first.refuse({ code: "UNAVAILABLE", message: "starting", retryable: true, retryAfterMs: 150 });
  expect(delay()).toBe(150);
  await settle(150);
  sockets.at(-1)?.challenge();
  sockets.at(-1)?.refuse({ code: "UNAVAILABLE", message: "at once", retryAfterMs: 0 });
  expect(delay()).toBe(100);
  await settle(100);
  sockets.at(-1)?.challenge();
  const details = { code: "AUTH_RATE_LIMITED" };
  sockets.at(-1)?.refuse({ code: "INVALID_REQUEST", message: "later", details, retryAfterMs: 300_000 });
  expect(delay()).toBe(300_000);
  await settle(300_000);
  sockets.at(-1)?.cut(1013);
  expect(delay()).toBe(1000);
  await settle(1000);
  sockets.at(-1)?.cut();
  expect(delay()).toBe(16_000);
  // Whoever asks for it does not want to wait.
  const connected = socket.connect();
  await settle();
  expect(statuses.at(-1)?.state).toBe("connecting");
  sockets.at(-1)?.accept();
  expect(await connected).toEqual(HELLO);
});

test.each(["challenge", "answer to `connect`"])("no %s in time is a failed try", async (awaited) => {
  const { socket, first } = await open();
  if (awaited !== "challenge") first.challenge();
  await settle(14_999);
  expect(socket.status.state).toBe("connecting");
  await settle(1);
  expect(socket.status).toMatchObject({ state: "waiting", error: { message: `No ${awaited} within 15000 ms.` } });
  expect(first.closed).toEqual([4000]);
});

test("the token is asked for before each try; where it cannot be had, there is another try", async () => {
  const tokens = ["first", new Error("offline"), "third"];
  const token = async () => {
    const next = tokens.shift();
    if (typeof next !== "string") throw next;
    return next;
  };
  const { socket, sockets } = await open({ token });
  sockets[0]?.challenge();
  expect(sockets[0]?.last().params.auth).toEqual({ token: "first", password: "first" });
  sockets[0]?.cut();
  await settle(1000);
  expect(sockets).toHaveLength(1);
  expect(socket.status).toMatchObject({ state: "waiting", error: { name: "ConnectionError" } });
  await settle(2000);
  sockets[1]?.challenge();
  expect(sockets[1]?.last().params.auth).toEqual({ token: "third", password: "third" });
});

test("a token that cannot be sent ends it, and is not told", async () => {
  const { connected, sockets } = await open({ token: () => "two words" });
  const error = await failureOf(connected);
  expect(error.message).toBe("`token` must be visible ASCII characters.");
  expect(sockets).toEqual([]);
});

test("so does a class that throws", async () => {
  class Broken {
    constructor() {
      throw new SyntaxError("no such scheme");
    }
    send() {}
    close() {}
  }
  const { connected } = await open({ WebSocket: Broken });
  expect(await failureOf(connected)).toMatchObject({ name: "OpenClawError", cause: { message: "no such scheme" } });
});

test.each([
  [
    { token: () => "x".repeat(40_000) },
    "OpenClawError",
    "The request `connect` is larger than the 65536 bytes that the gateway takes.",
  ],
  [{ client: { displayName: 1n as never } }, "TypeError", "BigInt"],
])("so does a request to connect that cannot be sent: %#", async (options, name, message) => {
  const { connected, first, sockets, statuses } = await open(options);
  first.challenge();
  const error = await failureOf(connected);
  expect(error).toMatchObject({ name, message: expect.stringContaining(message) });
  expect(statuses.at(-1)).toEqual({ state: "closed", error });
  await settle(600_000);
  expect(sockets).toHaveLength(1);
});

test.each(["shut out", "refused"])("who is %s asks for another token once", async (how) => {
  const tokens: string[] = [];
  const token = () => {
    tokens.push(`token-${tokens.length}`);
    return tokens.at(-1) as string;
  };
  const refusal = { code: "INVALID_REQUEST", message: "No.", details: { code: "AUTH_TOKEN_MISMATCH" } };
  const { socket, sockets, first } = await open({ token });
  const turnAway = (connection: FakeSocket | undefined) => {
    connection?.challenge();
    connection?.refuse(refusal);
  };
  if (how === "shut out") {
    first.accept();
    first.cut(4001);
  } else turnAway(first);
  expect(socket.status.state).toBe("waiting");
  await settle(1000);
  sockets[1]?.accept();
  expect(sockets[1]?.last("connect").params.auth).toMatchObject({ token: "token-1" });
  expect(socket.status.state).toBe("ready");
  // One that was taken has earned the next.
  sockets[1]?.cut(4001);
  await settle(1000);
  turnAway(sockets[2]);
  expect(socket.status).toMatchObject({ state: "closed", error: refusal });
  await settle(600_000);
  expect(tokens).toHaveLength(3);
});

test("all hear of each status in turn, whatever one of them does", async () => {
  const { sockets, WebSocket } = fakeWebSocket();
  const socket = createSocket({ baseUrl: BASE_URL, token: TOKEN, WebSocket });
  const seen: string[] = [];
  socket.on("status", ({ state }) => {
    if (state === "waiting") socket.connect().catch(() => {});
  });
  socket.on("status", ({ state }) => seen.push(state));
  socket.connect().catch(() => {});
  await settle();
  sockets[0]?.cut();
  await settle();
  expect(seen).toEqual(["connecting", "waiting", "connecting"]);
  socket.close();
});

test("closed is closed", async () => {
  const { socket, sockets, connected, first, statuses } = await open();
  socket.close();
  socket.close();
  expect(await failureOf(connected)).toMatchObject({ name: "AbortError" });
  expect(await failureOf(socket.connect())).toMatchObject({ name: "AbortError" });
  expect(await failureOf(socket.request("health"))).toMatchObject({ name: "AbortError" });
  expect(await failureOf(socket.send("main", "hi"))).toMatchObject({ name: "AbortError" });
  expect(first.closed).toEqual([1000]);
  expect(states(statuses)).toEqual(["connecting", "closed"]);
  expect(vi.getTimerCount()).toBe(0);
  expect(sockets).toHaveLength(1);
});

test("whoever waits may leave, and the tries go on", async () => {
  const { socket, sockets } = await open();
  const leaving = new AbortController();
  const connecting = failureOf(socket.connect({ signal: leaving.signal }));
  leaving.abort();
  expect(await connecting).toMatchObject({ name: "AbortError" });
  sockets[0]?.accept();
  expect(await socket.connect()).toEqual(HELLO);
});

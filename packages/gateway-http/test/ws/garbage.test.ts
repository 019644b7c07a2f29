import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SOCKET_METHODS } from "@openclaw/protocol/socket";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { sayer } from "../support/agents.ts";
import { type CapturedLog, captureLog } from "../support/capture-log.ts";
import { authWith, tokenOf } from "../support/keys.ts";
import { clientFrame, openRawSocket, upgradeHead } from "../support/raw-frames.ts";
import { openSocket as openTcp } from "../support/raw-http.ts";
import { connectParams, connectSocket, countSockets, openSocket, SocketClient } from "../support/socket-client.ts";
import { type StartedGateway, startGateway, TOKEN } from "../support/start-gateway.ts";

/** fast-check prints it, and the smallest case it found, when a property fails. */
const SEED = 20261122;
const LONE = "\ud800";

const methods = Object.keys(SOCKET_METHODS);
const text = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\u0000",
    LONE,
    "__proto__",
    "constructor",
    "main",
    "global",
    "agent:main:x",
    "agent:x:y",
    "agent::",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constant("x".repeat(5000)),
);
const junk = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1, 0.5, 1e308, 2 ** 53, [], {}, [[]], [null]),
  text,
  fc.jsonValue(),
);
/** Members that mean something, to some method. */
const member = fc.constantFrom(
  ...[
    "sessionKey",
    "key",
    "message",
    "idempotencyKey",
    "runId",
    "limit",
    "offset",
    "agentId",
    "label",
    "model",
    "text",
  ],
  ...[
    "attachments",
    "timeoutMs",
    "thinking",
    "thinkingLevel",
    "maxChars",
    "search",
    "sessionId",
    "reason",
    "__proto__",
  ],
);
const params = fc.oneof(junk, fc.dictionary(member, junk, { maxKeys: 8 }));
const method = fc.oneof(fc.constantFrom(...methods), text);
const request = fc.record({ type: fc.constant("req"), id: fc.constantFrom("a", "b"), method, params });
const valid = JSON.stringify({
  type: "req",
  id: "v",
  method: "connect",
  params: connectParams({ token: "wrong-secret-token" }),
});
const frame = fc.oneof(
  { weight: 4, arbitrary: request.map((value) => JSON.stringify(value)) },
  {
    weight: 2,
    arbitrary: fc
      .dictionary(fc.constantFrom("type", "id", "method", "params", "x"), junk)
      .map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: junk.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.nat(valid.length).map((length) => valid.slice(0, length)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(valid.length), fc.nat(20), text)
      .map(([at, count, other]) => valid.slice(0, at) + other + valid.slice(at + count)),
  },
);
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 60 }),
  fc
    .tuple(fc.nat(15), fc.boolean(), fc.boolean(), fc.nat(7), fc.uint8Array({ maxLength: 200 }))
    .map(([opcode, fin, masked, reserved, body]) => clientFrame(body, { opcode, fin, masked, reserved })),
  fc.tuple(frame, fc.nat(100)).map(([some, length]) => clientFrame(some).subarray(0, length)),
);

async function expectUnharmed({ url }: StartedGateway, log: CapturedLog): Promise<void> {
  const client = await connectSocket(url, { token: TOKEN });
  expect((await client.request("health")).ok).toBe(true);
  await client.close();
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(log.lines().filter(({ msg }) => msg === "bug")).toEqual([]);
  for (const secret of [TOKEN, tokenOf("ann"), "wrong-secret-token"]) expect(log.text()).not.toContain(secret);
}

async function start() {
  const log = captureLog();
  const gateway = await startGateway({
    agents: [sayer("Hello")],
    config: { logging: { level: "debug" }, gateway: { auth: authWith({ ann: {} }) } },
  });
  const rejected = vi.fn();
  process.on("unhandledRejection", rejected);
  onTestFinished(() => {
    process.off("unhandledRejection", rejected);
    expect(rejected).not.toHaveBeenCalled();
  });
  return { gateway, log };
}

test("any first frame ends with a goodbye, or is let in", async () => {
  const { gateway, log } = await start();
  const codes = new Set<number>();
  await fc.assert(
    fc.asyncProperty(frame, async (first) => {
      const client = await openSocket(gateway.url);
      client.send(first);
      const { code } = await client.closed;
      codes.add(code);
      const told = JSON.stringify(client.frames);
      for (const secret of [TOKEN, "wrong-secret-token"]) expect(told).not.toContain(secret);
    }),
    { seed: SEED, numRuns: 200 },
  );
  expect([...codes].sort()).toEqual([1000, 1008]);
  await expectUnharmed(gateway, log);
});

test("any bytes at all end with a close frame, or wait for more", async () => {
  const { gateway, log } = await start();
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 4 }), fc.boolean(), async (all, greets) => {
      const raw = await openRawSocket(gateway.port);
      if (greets) {
        const connect = { type: "req", id: "c", method: "connect", params: connectParams({ token: tokenOf("ann") }) };
        raw.socket.write(clientFrame(JSON.stringify(connect)));
        await raw.seen(/"id":"c","ok":true/);
      }
      for (const some of all) raw.socket.write(some);
      raw.socket.end();
      expect(await raw.closed).not.toContain(tokenOf("ann"));
    }),
    { seed: SEED, numRuns: 150 },
  );
  await expectUnharmed(gateway, log);
});

test("any upgrade is answered, and ends", async () => {
  const { gateway, log } = await start();
  const names = ["origin", "host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"];
  const more = [
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "x-forwarded-for",
    "x-request-id",
    "content-length",
    "expect",
  ];
  const header = fc.string({ unit: fc.constantFrom(..."abc:/,;=\"'. 0139\t*[]{}\u00e4"), maxLength: 20 });
  const headers = fc.dictionary(fc.constantFrom(...names, ...more), header, { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(headers, fc.uint8Array({ maxLength: 40 }), async (changed, behind) => {
      const raw = openTcp(gateway.port);
      raw.socket.write(upgradeHead(changed), "latin1");
      raw.socket.end(Buffer.from(behind));
      expect(await raw.closed).toMatch(/^HTTP\/1\.1 \d{3} /);
    }),
    { seed: SEED, numRuns: 150 },
  );
  await expectUnharmed(gateway, log);
});

test("any frame after hello is answered or passed over, and the next one too", async () => {
  const { gateway, log } = await start();
  const client = await connectSocket(gateway.url, { token: tokenOf("ann") });
  const codes = new Set<string | undefined>();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(frame, async (some) => {
      const from = client.frames.length;
      client.send(some);
      const id = `after-${++count}`;
      client.send({ type: "req", id, method: "question.list" });
      // A client that may not ask for questions is told so.
      await client.until((frame) => frame.type === "res" && frame.id === id, from);
      for (const frame of client.frames.slice(from)) {
        if (frame.type !== "res" || frame.id === id) continue;
        codes.add(frame.error?.code);
        if (!frame.ok) expect(frame.error?.message).not.toBe("");
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
  expect(codes).toEqual(new Set([undefined, "INVALID_REQUEST", "FORBIDDEN"]));
  const told = JSON.stringify(client.frames.slice(1));
  expect(told).not.toContain(TOKEN);
  await expectUnharmed(gateway, log);
}, 60_000);

test("a thousand that never say who they are come and go, and leave nothing", async () => {
  const { gateway, log } = await start();
  const open = () => countSockets(gateway);
  let most = 0;
  let refused = 0;
  for (let wave = 0; wave < 20; wave++) {
    const clients = Array.from({ length: 50 }, () => new SocketClient(gateway.url));
    const met = clients.map(
      ({ socket }) =>
        new Promise<void>((resolve) => {
          socket.on("open", () => resolve());
          socket.on("unexpected-response", (request) => {
            refused++;
            request.destroy();
            resolve();
          });
        }),
    );
    await Promise.all(met);
    most = Math.max(most, await open());
    for (const { socket } of clients) socket.terminate();
    await vi.waitFor(async () => expect(await open()).toBe(0), { timeout: 20_000 });
  }
  expect(most).toBe(32);
  expect(refused).toBe(20 * 18);
  await expectUnharmed(gateway, log);
}, 60_000);

test("a process whose gateway had sockets, and was closed, ends by itself", async () => {
  const script = fileURLToPath(import.meta.resolve("../support/close-with-sockets.ts"));
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@openclaw/source", script], {
    timeout: 60_000,
  });
  expect(JSON.parse(stdout)).toEqual({ timers: 0 });
}, 90_000);

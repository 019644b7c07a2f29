import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type ConfigInput, createGateway, defineAgent, type GatewayOptions } from "../src/index.ts";
import { freePort } from "./support/free-port.ts";
import { connectTls, pemPath } from "./support/tls.ts";

const echo = defineAgent({
  id: "main",
  async *run({ messages }) {
    yield `You said: ${messages.at(-1)?.content}`;
  },
});

// Not the state folder of whoever runs the tests.
let stateDir = "";
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "openclaw-embedding-"));
  vi.stubEnv("OPENCLAW_STATE_DIR", stateDir);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(stateDir, { recursive: true, force: true });
});

function embed(options: GatewayOptions = {}) {
  const gateway = createGateway({
    agents: [echo],
    config: { gateway: { port: 0, auth: { token: "embedded-token" } }, logging: { level: "silent" } },
    ...options,
  });
  onTestFinished(() => gateway.close({ drainTimeoutMs: 0 }));
  return gateway;
}

test("a gateway listens once: a second server would be forgotten", async () => {
  const gateway = embed();
  const { url } = await gateway.listen();
  await expect(gateway.listen()).rejects.toThrow("listens once");
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

test("a gateway that was closed does not listen again", async () => {
  const gateway = embed();
  await gateway.close();
  await expect(gateway.listen()).rejects.toThrow("listens once");
});

test("a run needs no HTTP", async () => {
  const gateway = embed();
  const run = gateway.runs.start({
    agent: gateway.defaultAgent,
    turn: { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: false },
    session: { owner: "operator", key: "agent:main:cron-report", stateless: false },
  });
  const { answer, error } = await run.result;
  expect(error).toBeUndefined();
  expect(answer.text).toBe("You said: hi");
});

test("OPENCLAW_GATEWAY_PORT is the port of a config that names none", async () => {
  vi.stubEnv("OPENCLAW_GATEWAY_PORT", "0");
  const gateway = embed({ config: { gateway: { auth: { token: "embedded-token" } }, logging: { level: "silent" } } });
  const { port } = await gateway.listen();
  expect(port).not.toBe(18789);
});

test("an embedder's agents stand alone unless the config lists others", () => {
  expect(embed().agents.map(({ id }) => id)).toEqual(["main"]);
  const both = embed({ config: { agents: { list: [{ id: "demo-too" }] }, logging: { level: "silent" } } });
  expect(both.agents.map(({ id }) => id)).toEqual(["main", "demo-too"]);
});

test.each(["memory", "sqlite"] as const)(
  "a gateway that is closed while it begins to listen does not listen: %s",
  async (kind) => {
    const gateway = embed({ config: { ...listening(0), sessions: { store: { kind } } } });
    const refused = expect(gateway.listen()).rejects.toThrow("closed before it listened");
    await gateway.close({ drainTimeoutMs: 0 });
    await refused;
    await expect(gateway.listen()).rejects.toThrow("listens once");
  },
);

test("a gateway that is closed when its port is just being opened closes it again", async () => {
  const port = await freePort();
  const gateway = embed({ config: listening(port) });
  const closed = Promise.withResolvers<void>();
  const { listen } = Server.prototype;
  const spy = vi.spyOn(Server.prototype, "listen").mockImplementationOnce(function (this: Server, ...given: unknown[]) {
    gateway.close({ drainTimeoutMs: 0 }).then(closed.resolve, closed.reject);
    return listen.apply(this, given as Parameters<typeof listen>);
  } as typeof listen);
  onTestFinished(() => spy.mockRestore());
  await gateway.listen();
  await closed.promise;
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
});

test.each([
  ["with TLS", { certPath: pemPath("gateway", "crt"), keyPath: pemPath("gateway", "key") }],
  ["without", undefined],
])("a gateway whose port was taken may try again, and then serves: %s", async (_what, tls) => {
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const gateway = embed({ config: listening(port, tls && { tls }) });
  for (let times = 0; times < 2; times++) await expect(gateway.listen()).rejects.toThrow("EADDRINUSE");
  other.close();
  await once(other, "close");
  expect((await gateway.listen()).url).toBe(`http${tls ? "s" : ""}://127.0.0.1:${port}`);
  if (tls) expect((await connectTls(port)).getPeerCertificate().subject.CN).toBe("gateway-test-a");
  else expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
});

test("of two calls of listen at once one listens, and close ends that", async () => {
  const gateway = embed({ config: listening(0) });
  const first = gateway.listen();
  await expect(gateway.listen()).rejects.toThrow("listens once");
  const { url } = await first;
  expect((await fetch(`${url}/health`)).status).toBe(200);
  await gateway.close();
  await expect(fetch(`${url}/health`)).rejects.toThrow();
});

function listening(port: number, more: object = {}): ConfigInput {
  return {
    gateway: { port, auth: { token: "embedded-token" }, ...more },
    sessions: { store: { kind: "memory" } },
    logging: { level: "silent" },
  };
}

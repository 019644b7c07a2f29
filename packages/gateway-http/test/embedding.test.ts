import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createGateway, defineAgent, type GatewayOptions } from "../src/index.ts";

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

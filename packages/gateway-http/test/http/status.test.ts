import { join } from "node:path";
import { gatewayStatusSchema } from "@openclaw/protocol";
import { expect, test, vi } from "vitest";
import { sayer, stepper } from "../support/agents.ts";
import { ask } from "../support/chat.ts";
import { type StartedGateway, startGateway, TOKEN } from "../support/start-gateway.ts";

async function read({ request }: StartedGateway) {
  const response = await request("/status");
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const text = await response.text();
  return { text, status: gatewayStatusSchema.parse(JSON.parse(text)) };
}

test("it tells how the gateway is, without a secret, with the endpoint off too", async () => {
  const secrets = { apiKey: "sk-provider-0123456789", env: "mcp-secret-0123456789", key: "key-secret-0123456789" };
  const door = await startGateway({
    config: {
      gateway: {
        auth: { mode: "token", token: TOKEN, keys: [{ id: "ann", token: secrets.key }] },
        http: { endpoints: { chatCompletions: { enabled: false } } },
        limits: { concurrentRuns: 7 },
      },
      models: { providers: { mine: { baseUrl: "http://127.0.0.1:1/v1", apiKey: secrets.apiKey } } },
      agents: {
        list: [
          { id: "poet", model: "mine/big" },
          { id: "main", model: "demo" },
        ],
      },
      mcp: { servers: { gone: { command: "/nonexistent/server", env: { SECRET: secrets.env } } } },
    },
  });
  const { text, status } = await read(door);
  expect(status).toMatchObject({
    object: "gateway.status",
    pid: process.pid,
    endpoints: { chat_completions: false },
    agents: [
      { id: "poet", model: "mine/big", default: false },
      { id: "main", model: "demo", default: true },
    ],
    runs: { active: 0, queued: 0, cap: 7 },
    lanes: { busy: 0, waiting: 0 },
    streams: { open: 0 },
    sockets: { open: 0 },
    mcp_servers: [{ name: "gone", state: "down", tools: 0 }],
    config: { path: null, reloaded_at: null, restart_needed: [] },
  });
  expect(["starting", "ready"]).toContain(status.state);
  expect(status.memory.rss_bytes).toBeGreaterThan(status.memory.heap_used_bytes);
  for (const secret of [TOKEN, ...Object.values(secrets)]) expect(text).not.toContain(secret);
});

test("it shows which MCP servers are there, with how many tools", async () => {
  const server = join(import.meta.dirname, "../tools/servers/pid.mjs");
  const door = await startGateway({
    agents: [sayer("a")],
    config: { mcp: { servers: { here: { command: process.execPath, args: [server] } } } },
    variables: { PATH: process.env.PATH ?? "" },
  });
  const { status } = await vi.waitFor(
    async () => {
      const now = await read(door);
      expect(now.status.mcp_servers[0]?.state).toBe("up");
      return now;
    },
    { timeout: 30_000, interval: 50 },
  );
  expect(status.mcp_servers).toEqual([{ name: "here", state: "up", tools: 1 }]);
  await door.gateway.reload({ gateway: { auth: { token: TOKEN } }, logging: { level: "silent" } });
  expect((await read(door)).status.mcp_servers).toEqual([]);
}, 60_000);

test("it shows what runs, and that the gateway drains", async () => {
  const { agent, started, say, end } = stepper();
  const door = await startGateway({ agents: [agent] });
  expect((await read(door)).status).toMatchObject({ state: "ready", agents: [{ id: "main", model: null }] });
  const answer = ask(door, undefined, { "x-openclaw-session-key": "chat" });
  await started;
  expect((await read(door)).status).toMatchObject({ runs: { active: 1 }, lanes: { busy: 1 } });
  const closed = door.gateway.close();
  expect((await read(door)).status.state).toBe("draining");
  say("a");
  end();
  expect((await answer).text).toBe("a");
  await closed;
});

test("after a reload it shows what it goes by, and what waits for a restart", async () => {
  const door = await startGateway({ agents: [sayer("a")] });
  const before = Math.floor(Date.now() / 1000);
  await door.gateway.reload({
    gateway: { port: 1, auth: { token: TOKEN }, limits: { concurrentRuns: 3 } },
    logging: { level: "silent" },
  });
  const { status } = await read(door);
  expect(status.runs.cap).toBe(3);
  expect(status.config.restart_needed).toContain("gateway.port");
  expect(status.config.reloaded_at).toBeGreaterThanOrEqual(before);
});

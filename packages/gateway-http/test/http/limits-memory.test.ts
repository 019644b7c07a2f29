import { Agent as HttpAgent, type IncomingHttpHeaders, request as sendRequest } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { hi } from "../support/chat.ts";
import { doorman } from "../support/doorman.ts";
import { collectGarbage } from "../support/garbage.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const PLACES = 4;
const FLOOD = 3000;
const AT_A_TIME = 16;
const KEY_TOKEN = "key-of-ann-0123456789";
const BODY = JSON.stringify(hi({ messages: [{ role: "user", content: "x".repeat(16 * 1024) }], stream: true }));

/** Sends this many requests over a few connections; what they were answered with, and how often. */
async function flood(port: number, count: number, headersOf: (index: number) => IncomingHttpHeaders) {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: AT_A_TIME });
  onTestFinished(() => agent.destroy());
  const answers = new Map<string, number>();
  let sent = 0;
  const one = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const request = sendRequest({ port, agent, method: "POST", path: "/v1/chat/completions" }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (data) => {
          text += data;
        });
        response.on("end", () => {
          const answer = `${response.statusCode} ${JSON.parse(text).error?.code}`;
          answers.set(answer, (answers.get(answer) ?? 0) + 1);
          resolve();
        });
      });
      request.on("error", reject);
      for (const [name, value] of Object.entries(headersOf(index))) request.setHeader(name, value ?? "");
      request.setHeader("content-type", "application/json");
      request.end(BODY);
    });
  const sender = async () => {
    while (sent < count) await one(sent++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, sender));
  return Object.fromEntries(answers);
}

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test("a flood of requests that are refused leaves nothing behind", { timeout: 60_000 }, async () => {
  const door = doorman();
  const { gateway, port, request } = await startGateway({
    agents: [door.agent],
    config: {
      gateway: {
        limits: { concurrentRuns: PLACES, queuedRuns: PLACES, queueTimeoutMs: 600_000 },
        auth: {
          mode: "token",
          token: TOKEN,
          keys: [{ id: "ann", token: KEY_TOKEN, limits: { requestsPerMinute: 1, concurrentRuns: 1 } }],
        },
      },
    },
  });
  const held = Array.from({ length: 2 * PLACES }, () => request("/v1/chat/completions", { body: hi() }));
  await expect.poll(() => gateway.runs.active, { timeout: 10_000 }).toBe(2 * PLACES);
  const operator = (index: number) => ({
    authorization: `Bearer ${TOKEN}`,
    "x-openclaw-session-key": `flood-${index}`,
    "idempotency-key": `flood-${index}`,
  });
  const ann = () => ({ authorization: `Bearer ${KEY_TOKEN}` });
  await request("/v1/models", { headers: ann() });
  // What is made once, by the first requests, is no leak.
  await flood(port, 300, operator);
  await flood(port, 300, ann);
  const before = heap();

  expect(await flood(port, FLOOD, operator)).toEqual({ "503 gateway_overloaded": FLOOD });
  const byKey = await flood(port, FLOOD / 3, ann);
  expect(Object.values(byKey).reduce((sum, count) => sum + count, 0)).toBe(FLOOD / 3);
  expect(byKey["429 rate_limit_exceeded"]).toBeGreaterThan(FLOOD / 3 - 10);

  // Together they were 64 MiB of bodies alone.
  expect(heap() - before).toBeLessThan(6 * 1024 * 1024);
  expect(gateway.runs.active).toBe(2 * PLACES);
  expect(door.begun).toHaveLength(PLACES);
  expect(await (await request("/v1/sessions")).json()).toMatchObject({ data: [] });
  door.releaseAll();
  for (const answer of held) expect((await answer).status).toBe(200);
  expect(door.most()).toBe(PLACES);
  expect(gateway.runs.active).toBe(0);
});

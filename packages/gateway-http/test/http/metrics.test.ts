import { once } from "node:events";
import { gatewayStatusSchema } from "@openclaw/protocol";
import { expect, test, vi } from "vitest";
import { answers, fails, startChain } from "../fallbacks/chain.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { ask, askStream, type Door, hi, openRaw } from "../support/chat.ts";
import { type Exposition, readExposition } from "../support/exposition.ts";
import { openSocket } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { startWithTools } from "../tool-loop/with-tools.ts";

async function scrape({ request }: Door): Promise<Exposition> {
  const response = await request("/metrics");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-store");
  return readExposition(await response.text());
}

/** What is counted when a connection closes is counted soon after the client knows. */
async function scrapeUntil(door: Door, isThere: (figures: Exposition) => boolean): Promise<Exposition> {
  return vi.waitFor(
    async () => {
      const figures = await scrape(door);
      expect(isThere(figures)).toBe(true);
      return figures;
    },
    { timeout: 10_000, interval: 10 },
  );
}

const PROVIDER_USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 40 },
  completion_tokens_details: { reasoning_tokens: 3 },
};

test("runs, their tokens and their times are counted by agent and outcome", async () => {
  const door = await startWithTools({ says: [{ text: "hello", usage: PROVIDER_USAGE }] });
  expect((await ask(door)).status).toBe(200);
  await askStream(door);
  const figures = await scrape(door);
  expect(figures.value("openclaw_runs_total", { agent: "main", outcome: "stop" })).toBe(2);
  const tokens = (type: string) => figures.value("openclaw_tokens_total", { agent: "main", type });
  expect(["input", "output", "cached", "reasoning"].map(tokens)).toEqual([200, 40, 80, 6]);
  expect(figures.value("openclaw_run_duration_seconds_count", { agent: "main" })).toBe(2);
  // Only one was streamed.
  expect(figures.value("openclaw_first_token_seconds_count", { agent: "main" })).toBe(1);
  expect(figures.value("openclaw_provider_requests_total", { provider: "stand", code: "ok" })).toBe(2);
  expect(figures.value("openclaw_provider_request_duration_seconds_count", { provider: "stand" })).toBe(2);
  expect(figures.all("openclaw_provider_errors_total")).toEqual([]);
  expect(figures.value("openclaw_runs_active")).toBe(0);
});

test("a run of the tool loop is one run, and its calls of the provider are counted each", async () => {
  const door = await startWithTools({
    says: [
      { calls: [["echo", '{"text":"a"}']], usage: PROVIDER_USAGE },
      { text: "done", usage: PROVIDER_USAGE },
    ],
  });
  expect((await ask(door)).text).toBe("done");
  const figures = await scrape(door);
  expect(figures.value("openclaw_runs_total", { agent: "main", outcome: "stop" })).toBe(1);
  expect(figures.value("openclaw_provider_requests_total", { provider: "stand", code: "ok" })).toBe(2);
  expect(figures.value("openclaw_tokens_total", { agent: "main", type: "input" })).toBe(200);
});

test("a provider's failure that a fallback hid is counted", async () => {
  const door = await startChain({ says: [fails(401), answers("from b")] });
  expect((await ask(door)).text).toBe("from b");
  const figures = await scrape(door);
  expect(figures.value("openclaw_runs_total", { agent: "main", outcome: "stop" })).toBe(1);
  expect(figures.value("openclaw_provider_errors_total", { provider: "a", code: "provider_auth" })).toBe(1);
  expect(figures.value("openclaw_provider_requests_total", { provider: "a", code: "provider_auth" })).toBe(1);
  expect(figures.value("openclaw_provider_requests_total", { provider: "b", code: "ok" })).toBe(1);
});

test("errors are counted by their code, a bug by one that tells nothing", async () => {
  const door = await startGateway({
    agents: [
      agentOf(async function* () {
        yield "";
        throw new Error("a bug");
      }),
    ],
  });
  expect((await ask(door)).status).toBe(500);
  const figures = await scrape(door);
  expect(figures.value("openclaw_runs_total", { agent: "main", outcome: "internal_error" })).toBe(1);
});

test("a client that goes away is counted, as is what is under way before it does", async () => {
  const { agent, started, say, aborted } = stepper();
  const door = await startGateway({ agents: [agent] });
  const client = openRaw(door, hi({ stream: true }), { "x-openclaw-session-key": "chat" });
  await started;
  say("a");
  await once(await client.response, "data");
  const waiting = openRaw(door, hi(), { "x-openclaw-session-key": "chat" });
  const during = await scrapeUntil(door, (figures) => figures.value("openclaw_lanes_waiting") === 1);
  const gauges = (figures: Exposition) =>
    ["runs_active", "streams_open", "lanes_busy", "lanes_waiting", "queue_waiting"].map((name) =>
      figures.value(`openclaw_${name}`),
    );
  expect(gauges(during)).toEqual([1, 1, 1, 1, 0]);
  waiting.kill();
  await scrapeUntil(door, (figures) => figures.value("openclaw_lanes_waiting") === 0);
  client.kill();
  await aborted;
  const route = { route: "/v1/chat/completions", method: "POST" };
  const after = await scrapeUntil(
    door,
    (figures) => figures.value("openclaw_http_requests_total", { ...route, status: "200" }) === 1,
  );
  expect(gauges(after)).toEqual([0, 0, 0, 0, 0]);
  expect(after.value("openclaw_runs_total", { agent: "main", outcome: "run_aborted" })).toBe(2);
  // It had no answer when it left.
  expect(after.value("openclaw_http_requests_total", { ...route, status: "499" })).toBe(1);
});

test("runs that wait for one of all to end are there to see", async () => {
  const { agent, started, say, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { gateway: { limits: { concurrentRuns: 1 } } } });
  const first = ask(door);
  await started;
  const second = openRaw(door);
  const during = await scrapeUntil(door, (figures) => figures.value("openclaw_queue_waiting") === 1);
  expect(during.value("openclaw_runs_active")).toBe(1);
  const { runs } = gatewayStatusSchema.parse(await (await door.request("/status")).json());
  expect(runs).toEqual({ active: 1, queued: 1, cap: 1 });
  second.kill();
  await scrapeUntil(door, (figures) => figures.value("openclaw_queue_waiting") === 0);
  say("a");
  end();
  expect((await first).text).toBe("a");
});

test("labels stay few, whatever is asked for", async () => {
  const door = await startGateway({ agents: [sayer("a")] });
  for (let index = 0; index < 30; index++) {
    await ask(door, hi({ model: `garbage-${index}` }));
    await door.request(`/garbage/${index}?q=${index}`);
    await door.request(`/v1/models/garbage-${index}`);
    await door.request(`/v1/sessions/agent:main:garbage-${index}`);
  }
  const odd = openSocket(door.port);
  odd.socket.write(
    "PROPFIND /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET /%zz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
  );
  await odd.seen(/ 405 [\s\S]* 400 /);
  odd.socket.destroy();
  const figures = await scrapeUntil(
    door,
    (now) => now.value("openclaw_http_requests_total", { route: "none", method: "GET", status: "400" }) === 1,
  );
  const requests = figures
    .all("openclaw_http_requests_total")
    .map(({ labels, value }) => [...Object.values(labels), value]);
  expect(requests.filter(([route]) => route !== "/metrics").sort()).toEqual([
    ["/v1/chat/completions", "POST", "404", 30],
    ["/v1/models", "other", "405", 1],
    ["/v1/models/*", "GET", "404", 30],
    ["/v1/sessions/*", "GET", "404", 30],
    ["none", "GET", "400", 1],
    ["none", "GET", "404", 30],
  ]);
  expect(figures.all("openclaw_runs_total")).toEqual([]);
});

test("what Node itself refuses is counted too, each once", async () => {
  const door = await startGateway({ agents: [sayer("a")] });
  const sent = [
    ["NOT HTTP\r\n\r\n", / 400 /],
    [`GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${"x".repeat(40_000)}\r\n\r\n`, / 431 /],
    ["POST /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: tea\r\ncontent-length: 0\r\n\r\n", / 417 /],
  ] as const;
  for (const [bytes, answer] of sent) {
    const odd = openSocket(door.port);
    odd.socket.write(bytes);
    await odd.seen(answer);
    odd.socket.destroy();
  }
  const requests = (await scrape(door))
    .all("openclaw_http_requests_total")
    .map(({ labels, value }) => [...Object.values(labels), value]);
  expect(requests.sort()).toEqual([
    ["none", "POST", "417", 1],
    ["none", "other", "400", 1],
    ["none", "other", "431", 1],
  ]);
});

test("and once only where more comes after it: the way cuts bytes into as many pieces as it likes", async () => {
  const door = await startGateway({ agents: [sayer("a")] });
  const { socket, text, seen } = openSocket(door.port);
  // Else it would be closed with the answer.
  socket.allowHalfOpen = true;
  socket.write(`GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${"x".repeat(33_000)}`);
  await seen(/ 431 /);
  for (let piece = 0; piece < 3; piece++) {
    socket.write("x".repeat(1000));
    await scrape(door);
  }
  const figures = await scrape(door);
  expect(figures.value("openclaw_http_requests_total", { route: "none", method: "other", status: "431" })).toBe(1);
  expect(text().match(/HTTP\/1\.1/g)).toHaveLength(1);
  socket.destroy();
});

test("refused callers are counted by why", async () => {
  const keys = [{ id: "old", token: "0123456789abcdef-old", expiresAt: "2020-01-01" }];
  const door = await startGateway({ config: { gateway: { auth: { mode: "token", token: TOKEN, keys } } } });
  for (const authorization of ["", "Basic abc", "Bearer wrong", "Bearer 0123456789abcdef-old"]) {
    expect((await door.request("/v1/models", { headers: { authorization } })).status).toBe(401);
  }
  const figures = await scrape(door);
  expect(figures.all("openclaw_auth_failures_total").map(({ labels, value }) => [labels.reason, value])).toEqual([
    ["missing", 1],
    ["malformed", 1],
    ["wrong", 1],
    ["expired", 1],
  ]);
});

test("they are for admins: other keys are refused, and nobody gets in without one", async () => {
  const keys = [
    { id: "ann", token: "0123456789abcdef-ann" },
    { id: "root", token: "0123456789abcdef-root", scopes: ["admin" as const] },
  ];
  const door = await startGateway({ config: { gateway: { auth: { mode: "token", token: TOKEN, keys } } } });
  for (const path of ["/metrics", "/status"]) {
    const get = async (headers: Record<string, string>) => {
      const response = await fetch(`${door.url}${path}`, { headers });
      return [response.status, /"code":"(\w+)"/.exec(await response.text())?.[1] ?? ""];
    };
    expect(await get({})).toEqual([401, "invalid_api_key"]);
    expect(await get({ authorization: "Bearer 0123456789abcdef-ann" })).toEqual([403, "missing_scope"]);
    expect(await get({ authorization: "Bearer 0123456789abcdef-root" })).toEqual([200, ""]);
    expect((await door.request(path, { method: "POST" })).status).toBe(405);
  }
});

test("two gateways in one process count for themselves, with the endpoint on or off", async () => {
  const off = { http: { endpoints: { chatCompletions: { enabled: false } } } };
  const [one, two] = await Promise.all([
    startGateway({ agents: [sayer("a")] }),
    startGateway({ agents: [sayer("a")], config: { gateway: off } }),
  ]);
  await ask(one);
  const ended = { agent: "main", outcome: "stop" };
  expect((await scrape(one)).value("openclaw_runs_total", ended)).toBe(1);
  expect((await scrape(two)).value("openclaw_runs_total", ended)).toBeUndefined();
  await one.gateway.close();
  const figures = await scrape(two);
  expect(figures.all("openclaw_build_info")).toMatchObject([{ value: 1 }]);
  for (const name of [
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "nodejs_eventloop_lag_p99_seconds",
  ]) {
    expect(figures.names).toContain(name);
  }
});

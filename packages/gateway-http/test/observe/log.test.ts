import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { captureLog } from "../support/capture-log.ts";
import { ask, askStream, hi, openRaw } from "../support/chat.ts";
import { openSocket } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const logging = (more: ConfigInput["logging"] = {}): ConfigInput => ({
  logging: { level: "debug", format: "json", ...more },
});
const echo = agentOf(async function* ({ messages }) {
  yield `re: ${messages.at(-1)?.content}`;
});

test.each(["json", "pretty"] as const)("no line has a secret, wherever it came from: %s", async (format) => {
  const log = captureLog();
  const thrower = agentOf(
    async function* () {
      yield "";
      throw new Error(`cannot reach https://x.example/?key=${TOKEN}`);
    },
    { id: "thrower" },
  );
  const door = await startGateway({ agents: [echo, thrower], config: logging({ format, content: true }) });
  const headers = {
    "user-agent": TOKEN,
    accept: TOKEN,
    "x-request-id": TOKEN,
    "x-openclaw-events": TOKEN,
    "x-stainless-lang": TOKEN,
    "x-openwebui-user-name": TOKEN,
    "idempotency-key": TOKEN,
    cookie: `a=${TOKEN}`,
  };
  await ask(door, hi({ user: TOKEN, messages: [{ role: "user", content: `it is ${TOKEN}` }] }), headers);
  await ask(door, hi({ model: TOKEN }), { "x-openclaw-session-key": TOKEN });
  await ask(door, hi({ model: "openclaw:thrower" }), { "x-openclaw-agent-id": TOKEN });
  await ask(door, hi({ model: "openclaw:thrower" }));
  for (const path of [`/${TOKEN}?key=${TOKEN}`, `/v1/models/${TOKEN}`, `/v1/sessions/${TOKEN}`, `/v1/sk-oc-${TOKEN}`]) {
    await door.request(path, { headers });
  }
  await door.request("/v1/models", { headers: { authorization: `Bearer ${TOKEN}x` } });
  const odd = openSocket(door.port);
  odd.socket.write(`GET /%zz${TOKEN} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
  await odd.seen(/ 400 /);
  odd.socket.destroy();
  await door.gateway.close();
  expect(log.text()).toContain("re: it is ***");
  expect(log.text()).toContain("bug");
  expect(log.text()).toContain("login failed");
  expect(log.text()).toContain("/v1/models/***");
  expect(log.text()).not.toContain(TOKEN);
});

test("a request's line has what helps and nothing private, streams too, and ties it to its run", async () => {
  const log = captureLog();
  const door = await startGateway({ agents: [sayer("a")], config: logging() });
  await askStream(door, hi(), {
    "user-agent": "tester/1.0",
    "x-request-id": "req-1",
    "x-openclaw-session-key": "private-chat",
    "idempotency-key": "private-key",
    "x-openwebui-user-email": "private@example.com",
    cookie: "private=1",
    accept: "x".repeat(1000),
  });
  const line = await log.line("request");
  const run = await log.line("run");
  expect(line).toMatchObject({
    requestId: "req-1",
    runId: run.runId,
    owner: "operator",
    method: "POST",
    path: "/v1/chat/completions",
    status: 200,
    address: "127.0.0.1",
    headers: { "user-agent": "tester/1.0", "content-type": "application/json", accept: "x".repeat(200) },
  });
  expect(line).not.toHaveProperty("cut");
  expect(run).toMatchObject({ owner: "operator", agent: "main", ended: "stop", stream: true });
  expect(log.text()).not.toContain("private");
  await door.request("/v1/sessions/agent:main:private-chat?search=private");
  expect((await log.line("request", ({ method }) => method === "GET")).path).toBe("/v1/sessions/*");
  // Where nothing is served, or not with this method.
  for (const path of [
    "/v1/sessions/private/no/such",
    "/sessions/private",
    "//v1/%73essions/private",
    "/v1/%zz/private",
  ]) {
    await door.request(path, { method: "PUT" });
  }
  await door.request("/last", { method: "PUT" });
  await log.line("request", ({ path }) => path === "/last");
  expect(log.text()).not.toContain("private");
});

test("a request whose client goes away has its line", async () => {
  const log = captureLog();
  const begun = Promise.withResolvers<void>();
  const hanging = agentOf(async function* (_turn, signal) {
    begun.resolve();
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    yield "never";
  });
  const door = await startGateway({ agents: [hanging], config: logging() });
  const client = openRaw(door);
  await begun.promise;
  client.kill();
  expect(await log.line("request")).toMatchObject({ status: 499, cut: true });
  expect(await log.line("run")).toMatchObject({ ended: "run_aborted" });
});

test("what was said stands in the log only with logging.content, from the next run on after a reload", async () => {
  const log = captureLog();
  const config = logging({ level: "info" });
  const door = await startGateway({ agents: [echo], config });
  const say = async (content: unknown) => {
    const { response } = await askStream(
      door,
      hi({
        messages: [
          { role: "user", content: "before" },
          { role: "user", content },
        ],
      }),
    );
    const runId = response.headers.get("x-openclaw-run-id");
    return log.line("run", (line) => line.runId === runId);
  };
  const change = (content: boolean) =>
    door.gateway.reload({
      gateway: { auth: { token: TOKEN }, http: { endpoints: { chatCompletions: { enabled: true } } } },
      logging: { ...config.logging, content },
    });
  const off = await say("quiet");
  expect(off).not.toHaveProperty("question");
  expect(log.text()).not.toContain("quiet");
  await change(true);
  expect(await say([{ type: "text", text: "loud" }])).toMatchObject({
    question: "loud",
    answer: "re: [object Object]",
  });
  const long = await say("x".repeat(10_000));
  expect([long.question, long.answer].map((text) => String(text).length)).toEqual([4097, 4097]);
  await change(false);
  expect(await say("quiet")).not.toHaveProperty("answer");
});

test("a debug level that comes with a reload shows requests", async () => {
  const log = captureLog();
  const door = await startGateway({ agents: [echo], config: logging({ level: "info" }) });
  await door.request("/health");
  await door.gateway.reload(logging());
  await door.request("/ready");
  expect(await log.line("request")).toMatchObject({ path: "/ready" });
});

test("a failed login is one line, a lockout is one for all that it refuses, and none says what was sent", async () => {
  const log = captureLog();
  const rateLimit = { maxAttempts: 2, exemptLoopback: false };
  const door = await startGateway({
    config: { ...logging({ level: "info" }), gateway: { auth: { token: TOKEN, rateLimit } } },
  });
  const statuses: number[] = [];
  for (const id of ["a", "b", "c", "d", "e"]) {
    const headers = { authorization: `Bearer guess-${id}`, "x-request-id": id };
    statuses.push((await door.request("/v1/models", { headers })).status);
  }
  expect(statuses).toEqual([401, 401, 429, 429, 429]);
  await door.request("/v1/models", { headers: { authorization: "" } });
  const about = { level: 40, address: "127.0.0.1", msg: "login failed" };
  expect(log.lines()).toMatchObject([
    { ...about, reason: "wrong", requestId: "a" },
    { ...about, reason: "wrong", requestId: "b" },
    { ...about, reason: "locked_out", requestId: "c" },
  ]);
  expect(log.text()).not.toContain("guess");
});

test("that all runs are taken is one line for a flood of refusals", async () => {
  const log = captureLog();
  const agent = stepper();
  const limits = { concurrentRuns: 1, queuedRuns: 0 };
  const door = await startGateway({
    agents: [agent.agent],
    config: { ...logging({ level: "info" }), gateway: { limits } },
  });
  agent.say("on");
  const under = await door.request("/v1/chat/completions", { body: hi({ stream: true }) });
  await agent.started;
  for (let index = 0; index < 5; index++) expect((await ask(door)).status).toBe(503);
  expect(log.lines()).toMatchObject([{ level: 40, refused: 1, msg: "all runs are taken: see gateway.limits" }]);
  await under.body?.cancel();
});

test("a bug is one line, with its stack, whether or not its run was streamed", async () => {
  const log = captureLog();
  const bug = new TypeError("no such thing");
  const buggy = agentOf(async function* () {
    yield "a";
    throw bug;
  });
  const door = await startGateway({ agents: [buggy], config: logging({ level: "info" }) });
  for (let index = 0; index < 2; index++) {
    await ask(door);
    await askStream(door);
  }
  const bugs = log.lines().filter(({ msg }) => msg === "bug");
  expect(bugs.map(({ runId }) => runId)).toEqual(
    log
      .lines()
      .filter(({ msg }) => msg === "run")
      .map(({ runId }) => runId),
  );
  expect(bugs).toHaveLength(4);
  expect(bugs[0]?.bug).toMatch(/^TypeError: no such thing\n {4}at /);
});

/** The file that a process writes its log to, when the disk is full. */
test("a disk that is full costs lines, not the process", () => {
  const script = `
    import { createLog } from "./src/observe/log.ts";
    const log = createLog({ level: "info", redact: (text) => text });
    for (let index = 0; index < 3; index++) log.info("line");
    setImmediate(() => { log.info("line"); console.log("alive"); });
  `;
  const full = openSync("/dev/full", "w");
  const { stdout, status } = spawnSync(
    process.execPath,
    ["--conditions=@openclaw/source", "--input-type=module", "--eval", script],
    { cwd: join(import.meta.dirname, "../.."), stdio: ["ignore", "pipe", full], encoding: "utf8", timeout: 30_000 },
  );
  closeSync(full);
  expect({ stdout, status }).toEqual({ stdout: "alive\n", status: 0 });
});

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { byHand, isRunning, startTools } from "./start-tools.ts";

afterEach(() => {
  vi.useRealTimers();
});

const pidsOf = (text: string): number[] => text.split(" ").map(Number);

/** Until a started server's message, or a lost one's return: a first wait is a second. */
const SOON = { timeout: 10_000 };

test("without servers there is nothing to wait for", async () => {
  const { tools } = startTools({});
  expect(tools.settled).toBe(true);
  await tools.ready();
  expect(tools.list()).toEqual([]);
  await tools.close();
});

test("nothing starts before it is asked for, or after the end", async () => {
  const { tools, lines } = startTools({ a: { command: "/no/such/program" } });
  expect(tools.settled).toBe(false);
  expect(tools.list()).toEqual([]);
  await tools.close();
  await tools.ready();
  expect(lines).toEqual([]);
});

test("a server that never answers costs its tools, and 5 s at the start", async () => {
  const { tools, names } = startTools({ silent: byHand("silent"), fine: byHand("grows") });
  await tools.ready();
  expect(tools.settled).toBe(true);
  expect(names()).toEqual(["fine__grow"]);
  await tools.ready();
}, 15_000);

test("a server that never answers is given up after 30 s, and tried again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { tools, lines } = startTools({ silent: byHand("silent") });
  const ready = tools.ready();
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), SOON);
  vi.advanceTimersByTime(30_000);
  await ready;
  expect(lines).toEqual([
    { level: "warn", server: "silent", reason: "it gave no answer within 30 s", message: "an MCP server is not there" },
  ]);
  // The next attempt waits for its answer.
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), SOON);
}, 20_000);

test("a server that dies at the start is told of once, with its last words and without secrets", async () => {
  const { tools, lines } = startTools({
    dead: byHand("dies", { SERVER_TOKEN: "sk-secret" }),
    missing: { command: "/no/such/program" },
  });
  await tools.ready();
  expect(tools.list()).toEqual([]);
  expect(lines.toSorted((a, b) => String(a.server).localeCompare(String(b.server)))).toEqual([
    {
      level: "warn",
      server: "dead",
      reason: "it exited with code 3",
      stderr: "cannot start: *** is no good",
      message: "an MCP server is not there",
    },
    {
      level: "warn",
      server: "missing",
      reason: "spawn /no/such/program ENOENT",
      message: "an MCP server is not there",
    },
  ]);
});

test("a server that dies in a call fails the call, is gone, and comes back", async () => {
  const { tools, lines, names, call } = startTools({ a: byHand("dies-in-call") });
  await tools.ready();
  const [tool] = tools.list();
  expect(await call("a__die")).toEqual({
    ok: false,
    text: 'The server "a" of this tool gave no answer: it exited with code 4.',
  });
  expect(names()).toEqual([]);
  expect(
    await tool?.run({}, { signal: new AbortController().signal, runId: "r", agentId: "a", sessionKey: "s" }),
  ).toEqual({ ok: false, text: 'The server "a" of this tool is not there: it exited with code 4.' });
  await vi.waitFor(() => expect(names()).toEqual(["a__die"]), SOON);
  expect(lines.map(({ level, reason, tools }) => [level, reason ?? tools])).toEqual([
    ["warn", "it exited with code 4"],
    ["info", 1],
  ]);
}, 15_000);

test("an answer of 40 MB fails its call, and the server is there again", async () => {
  const { tools, names, call } = startTools({ a: byHand("huge") });
  await tools.ready();
  expect(await call("a__huge")).toEqual({
    ok: false,
    text: 'The server "a" of this tool gave no answer: it sent a message larger than 32 MiB.',
  });
  await vi.waitFor(() => expect(names()).toEqual(["a__huge"]), SOON);
}, 20_000);

test("tools without the schema of an object are left out, and so is the second of one name", async () => {
  const { tools, lines, names, call } = startTools({ odd: byHand("odd-schemas") });
  await tools.ready();
  expect(names()).toEqual(["odd__a_b", "odd__good", expect.stringMatching(/^odd__long_x{45}_[0-9a-f]{8}$/)]);
  expect(tools.list()[1]).toMatchObject({
    description: undefined,
    parameters: { type: "object", properties: { a: { type: "string" } } },
  });
  expect(tools.list()[1]?.parameters).not.toHaveProperty("$schema");
  expect(await call("odd__a_b")).toEqual({ ok: true, text: "a b" });
  expect((await call(names()[2] ?? "")).text).toMatch(/^long\.x{100}$/);
  const left = "a tool is left out: its schema is not that of an object";
  expect(lines).toEqual([
    {
      level: "warn",
      server: "odd",
      tool: "a.b",
      name: "odd__a_b",
      message: "a tool is left out: another one has its name",
    },
    { level: "warn", server: "odd", tool: "boolean", message: left },
    { level: "warn", server: "odd", tool: "none", message: left },
    { level: "warn", server: "odd", tool: "text", message: left },
  ]);
});

test("a server's new tools are there when it tells of them", async () => {
  const { tools, names, call } = startTools({ a: byHand("grows") });
  await tools.ready();
  const before = tools.list();
  await call("a__grow");
  await vi.waitFor(() => expect(names()).toEqual(["a__grow", "a__more1"]), SOON);
  expect(before).toHaveLength(1);
  await call("a__grow");
  await call("a__grow");
  await vi.waitFor(() => expect(names()).toHaveLength(4), SOON);
}, 15_000);

test("a new list that cannot be read leaves the old one", async () => {
  const { tools, lines, names, call } = startTools({ a: byHand("moody") });
  await tools.ready();
  await vi.waitFor(async () => expect((await call("a__asked")).text).toBe("2"), SOON);
  expect(await call("a__asked")).toMatchObject({ ok: true });
  expect(names()).toEqual(["a__asked"]);
  expect(lines).toEqual([]);
}, 15_000);

test("what is no message is passed over", async () => {
  const { tools, lines, call } = startTools({ a: byHand("garbage") });
  await tools.ready();
  expect(await call("a__fine")).toEqual({ ok: true, text: "fine" });
  expect(await call("a__fine")).toEqual({ ok: true, text: "fine" });
  expect(lines).toEqual([]);
});

test("a stopped call is cancelled at the server", async () => {
  const { tools, names, call } = startTools({ a: byHand("slow") });
  await tools.ready();
  const stop = new AbortController();
  const waiting = call("a__wait", {}, stop.signal);
  await vi.waitFor(() => expect(names()).toContain("a__called"), SOON);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await vi.waitFor(() => expect(names()).toContain("a__cancelled"), SOON);
});

test("a tool that is silent for a minute has failed", async () => {
  const { tools, call } = startTools({ a: byHand("slow") });
  await tools.ready();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const waiting = call("a__wait");
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), SOON);
  vi.advanceTimersByTime(60_000);
  expect(await waiting).toEqual({ ok: false, text: "The tool gave no answer for 60 seconds." });
});

test("closing ends a server with the children it started, however stubborn", async () => {
  const { tools, call } = startTools({ family: byHand("family"), stubborn: byHand("stubborn") });
  await tools.ready();
  const pids = [...pidsOf((await call("family__pids")).text), ...pidsOf((await call("stubborn__pids")).text)];
  expect(pids.map(isRunning)).toEqual([true, true, true]);
  await tools.close();
  expect(pids.map(isRunning)).toEqual([false, false, false]);
  expect(tools.list()).toEqual([]);
  expect(process.listeners("exit").map(({ name }) => name)).not.toContain("killAll");
}, 20_000);

test("a server that leaves by itself takes its children along", async () => {
  const { tools, call } = startTools({ family: byHand("family") });
  await tools.ready();
  const pids = pidsOf((await call("family__pids")).text);
  expect(await call("family__leave")).toMatchObject({ ok: false });
  await vi.waitFor(() => expect(pids.map(isRunning)).toEqual([false, false]), SOON);
}, 15_000);

test("closing while a server is starting leaves nothing", async () => {
  const { tools, lines } = startTools({ silent: byHand("silent"), stubborn: byHand("stubborn") });
  const ready = tools.ready();
  await new Promise(setImmediate);
  await tools.close();
  await ready;
  expect(tools.list()).toEqual([]);
  expect(lines).toEqual([]);
  expect(process.listeners("exit").map(({ name }) => name)).not.toContain("killAll");
}, 20_000);

test("a process that exits at once leaves no server and no child of one", async () => {
  const script = join(import.meta.dirname, "servers", "exits.mjs");
  const { stdout, stderr, status } = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 20_000 });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const pids = pidsOf(stdout);
  expect(pids).toHaveLength(2);
  await vi.waitFor(() => expect(pids.map(isRunning)).toEqual([false, false]), SOON);
}, 30_000);

test("a started server finds a few harmless names in its environment, and what is configured for it", async () => {
  const variables = {
    PATH: process.env.PATH,
    HOME: "/home/somebody",
    LANG: "C.UTF-8",
    TZ: "UTC",
    SHELL: "() { echo a function; }",
    OPENAI_API_KEY: "sk-gateway",
    OPENCLAW_GATEWAY_TOKEN: "token",
    NODE_OPTIONS: "--no-warnings",
  };
  const { tools, call } = startTools({ a: byHand("environment", { OWN: "1", HOME: "/elsewhere" }) }, variables);
  await tools.ready();
  // macOS adds a variable of its own to every process.
  const { __CF_USER_TEXT_ENCODING: _, ...env } = JSON.parse((await call("a__env")).text);
  expect(env).toEqual({ PATH: process.env.PATH, HOME: "/elsewhere", LANG: "C.UTF-8", TZ: "UTC", OWN: "1" });
});

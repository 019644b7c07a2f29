import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { byHand, isRunning, SOON, startTools } from "./start-tools.ts";

vi.setConfig({ testTimeout: 40_000 });

afterEach(() => {
  vi.useRealTimers();
});

const pidsOf = (text: string): number[] => text.split(" ").map(Number);

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
  const { tools, names, have } = startTools({ silent: byHand("silent"), fine: byHand("grows") });
  await tools.ready();
  expect(tools.settled).toBe(true);
  await have("fine__grow");
  expect(names()).toEqual(["fine__grow"]);
  await tools.ready();
});

test("a server that never answers is given up after 30 s, and tried again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { tools, lines } = startTools({ silent: byHand("silent") });
  void tools.ready();
  // The first timer that is faked is the one that gives up.
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), SOON);
  vi.advanceTimersByTime(30_000);
  await vi.waitFor(() => expect(lines).toHaveLength(1), SOON);
  expect(lines).toEqual([
    { level: "warn", server: "silent", reason: "it gave no answer within 30 s", message: "an MCP server is not there" },
  ]);
  // The next attempt waits for its answer.
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), SOON);
});

test("a server that dies at the start is told of once, with its last words and without secrets", async () => {
  const { tools, lines } = startTools({
    dead: byHand("dies", { SERVER_TOKEN: "sk-secret" }),
    missing: { command: "/no/such/program" },
  });
  await tools.ready();
  await vi.waitFor(() => expect(lines).toHaveLength(2), SOON);
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
  const { tools, lines, names, have, call } = startTools({ a: byHand("dies-in-call") });
  await have("a__die");
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
});

test("an answer of 40 MB fails its call, and the server is there again", async () => {
  const { names, call } = startTools({ a: byHand("huge") });
  expect(await call("a__huge")).toEqual({
    ok: false,
    text: 'The server "a" of this tool gave no answer: it sent a message larger than 32 MiB.',
  });
  await vi.waitFor(() => expect(names()).toEqual(["a__huge"]), SOON);
});

test("tools without the schema of an object are left out, and so is the second of one name", async () => {
  const { tools, lines, names, have, call } = startTools({ odd: byHand("odd-schemas") });
  await have("odd__good");
  expect(names()).toEqual(["odd__a_b", "odd__good", expect.stringMatching(/^odd__long_x{45}_[0-9a-f]{8}$/)]);
  expect(tools.list()[1]).toMatchObject({
    description: undefined,
    parameters: { type: "object", properties: { a: { type: "string" } } },
  });
  expect(tools.list()[1]?.parameters).not.toHaveProperty("$schema");
  expect(await call("odd__a_b")).toEqual({ ok: true, text: "a b" });
  expect((await call(names()[2] ?? "")).text).toMatch(/^long\.x{100}$/);
  expect(lines).toEqual([
    {
      level: "warn",
      server: "odd",
      count: 4,
      examples: ["boolean: its schema is not that of an object", "a.b: another tool has its name"],
      message: "tools of an MCP server are left out",
    },
  ]);
});

test("a server's new tools are there when it tells of them", async () => {
  const { tools, names, have, call } = startTools({ a: byHand("grows") });
  await have("a__grow");
  const before = tools.list();
  await call("a__grow");
  await vi.waitFor(() => expect(names()).toEqual(["a__grow", "a__more1"]), SOON);
  expect(before).toHaveLength(1);
  await call("a__grow");
  await call("a__grow");
  await vi.waitFor(() => expect(names()).toHaveLength(4), SOON);
});

test("a new list that cannot be read leaves the old one", async () => {
  const { lines, names, have, call } = startTools({ a: byHand("moody") });
  await have("a__asked");
  // More than twice when it says so again before it is asked.
  await vi.waitFor(async () => expect(Number((await call("a__asked")).text)).toBeGreaterThan(1), SOON);
  expect(await call("a__asked")).toMatchObject({ ok: true });
  expect(names()).toEqual(["a__asked"]);
  expect(lines).toEqual([]);
});

test("what is no message is passed over", async () => {
  const { lines, call } = startTools({ a: byHand("garbage") });
  expect(await call("a__fine")).toEqual({ ok: true, text: "fine" });
  expect(await call("a__fine")).toEqual({ ok: true, text: "fine" });
  expect(lines).toEqual([]);
});

test("a stopped call is cancelled at the server", async () => {
  const { names, call } = startTools({ a: byHand("slow") });
  const stop = new AbortController();
  const waiting = call("a__wait", {}, stop.signal);
  await vi.waitFor(() => expect(names()).toContain("a__called"), SOON);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await vi.waitFor(() => expect(names()).toContain("a__cancelled"), SOON);
});

test("a tool that is silent for a minute has failed", async () => {
  const { have, call } = startTools({ a: byHand("slow") });
  await have("a__wait");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const waiting = call("a__wait");
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), SOON);
  vi.advanceTimersByTime(60_000);
  expect(await waiting).toEqual({ ok: false, text: "The tool gave no answer for 60 seconds." });
});

test("closing ends a server with the children it started, however stubborn", async () => {
  const { tools, call } = startTools({ family: byHand("family"), stubborn: byHand("stubborn") });
  const pids = [...pidsOf((await call("family__pids")).text), ...pidsOf((await call("stubborn__pids")).text)];
  expect(pids.map(isRunning)).toEqual([true, true, true]);
  await tools.close();
  expect(pids.map(isRunning)).toEqual([false, false, false]);
  expect(tools.list()).toEqual([]);
  expect(process.listeners("exit").map(({ name }) => name)).not.toContain("killAll");
});

test("a server that leaves by itself takes its children along", async () => {
  const { call } = startTools({ family: byHand("family") });
  const pids = pidsOf((await call("family__pids")).text);
  expect(await call("family__leave")).toMatchObject({ ok: false });
  await vi.waitFor(() => expect(pids.map(isRunning)).toEqual([false, false]), SOON);
});

test("closing while a server is starting leaves nothing", async () => {
  const { tools, lines } = startTools({ silent: byHand("silent"), stubborn: byHand("stubborn") });
  const ready = tools.ready();
  await new Promise(setImmediate);
  await tools.close();
  await ready;
  expect(tools.list()).toEqual([]);
  expect(lines).toEqual([]);
  expect(process.listeners("exit").map(({ name }) => name)).not.toContain("killAll");
});

test("a process that exits at once leaves no server and no child of one", async () => {
  const script = join(import.meta.dirname, "servers", "exits.mjs");
  const { stdout, stderr, status } = spawnSync(process.execPath, [script], { encoding: "utf8", timeout: 40_000 });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const pids = pidsOf(stdout);
  expect(pids).toHaveLength(2);
  await vi.waitFor(() => expect(pids.map(isRunning)).toEqual([false, false]), SOON);
}, 60_000);

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
  const { call } = startTools({ a: byHand("environment", { OWN: "1", HOME: "/elsewhere" }) }, variables);
  // macOS adds a variable of its own to every process.
  const { __CF_USER_TEXT_ENCODING: _, ...env } = JSON.parse((await call("a__env")).text);
  expect(env).toEqual({ PATH: process.env.PATH, HOME: "/elsewhere", LANG: "C.UTF-8", TZ: "UTC", OWN: "1" });
});

test("why a program failed is told, not what failed with it", async () => {
  const failing = { command: "sh", args: ["-c", "echo bad >&2; exit 3"] };
  const { tools, lines } = startTools(Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`s${at}`, failing])));
  void tools.ready();
  await vi.waitFor(() => expect(new Set(lines.map(({ server }) => server)).size).toBe(25), SOON);
  expect(new Set(lines.map(({ reason, stderr }) => `${reason}: ${stderr}`))).toEqual(
    new Set(["it exited with code 3: bad"]),
  );
});

test("a server that asks and does not read the answers is ended", async () => {
  const { tools, lines, names } = startTools({ small: byHand("pings"), large: byHand("pings", { ID: "100000" }) });
  void tools.ready();
  const reason = "it does not read what it is sent";
  await vi.waitFor(() => {
    expect(lines).toContainEqual(expect.objectContaining({ server: "small", reason }));
    expect(lines).toContainEqual(expect.objectContaining({ server: "large", reason }));
  }, SOON);
  await vi.waitFor(() => expect(names()).toEqual([]), SOON);
});

test("a program that writes no message, and many lines, is ended", async () => {
  const { tools, lines } = startTools({ a: { command: "yes" } });
  void tools.ready();
  await vi.waitFor(() => expect(lines).toMatchObject([{ server: "a", reason: "it does not speak MCP" }]), SOON);
});

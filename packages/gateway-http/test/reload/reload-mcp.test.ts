import { expect, test, vi } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { byHand, isRunning, SOON, startTools } from "../tools/start-tools.ts";

const toServers = (servers: Parameters<typeof startTools>[0]) => parseConfig({ mcp: { servers } }).config.mcp.servers;

/** The process of a server of `pid.mjs`. */
async function pidOf(started: ReturnType<typeof startTools>, server: string): Promise<number> {
  return Number((await started.call(`${server}__pid`)).text);
}

const gone = (...pids: number[]) => vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), SOON);

const SLOW = { timeout: 60_000 };

test("servers that stay are the same processes, those that go end, those that change are others", SLOW, async () => {
  const server = byHand("pid");
  const started = startTools({ stays: server, changes: server, goes: server });
  const before = {
    stays: await pidOf(started, "stays"),
    changes: await pidOf(started, "changes"),
    goes: await pidOf(started, "goes"),
  };
  started.tools.update(toServers({ comes: server, stays: server, changes: byHand("pid", { A: "1" }) }));
  expect(started.names()).toEqual(["stays__pid"]);
  await started.have("comes__pid", "changes__pid");
  await gone(before.changes, before.goes);
  expect(await pidOf(started, "stays")).toBe(before.stays);
  expect(await pidOf(started, "changes")).not.toBe(before.changes);
  expect(started.names().some((name) => name.startsWith("goes"))).toBe(false);
  expect(started.lines).toEqual([]);
});

test("a run keeps the tools it began with; a call of one whose server went fails in words", SLOW, async () => {
  const started = startTools({ goes: byHand("slow") });
  await started.tools.ready();
  await vi.waitFor(() => expect(started.names()).not.toEqual([]), SOON);
  const [tool] = started.tools.list();
  const call = () => tool?.run({}, { signal: new AbortController().signal, runId: "r", agentId: "a", sessionKey: "s" });
  const underWay = call();
  started.tools.update({});
  expect(await underWay).toMatchObject({ ok: false });
  expect(await call()).toEqual({
    ok: false,
    text: 'The server "goes" of this tool is not there: it is not used any more.',
  });
  expect(started.lines).toEqual([]);
});

test("servers that come to a gateway without any are there, and it stays ready meanwhile", SLOW, async () => {
  const started = startTools({});
  await started.tools.ready();
  started.tools.update(toServers({ comes: byHand("pings") }));
  expect(started.tools.settled).toBe(true);
  await started.tools.ready();
  await vi.waitFor(() => expect(started.names()).not.toEqual([]), SOON);
});

test("nothing is started before it is asked for, whatever the config was before", SLOW, async () => {
  const started = startTools({ before: byHand("dies") });
  expect(started.tools.settled).toBe(false);
  started.tools.update({});
  expect(started.tools.settled).toBe(true);
  started.tools.update(toServers({ after: byHand("pid") }));
  expect(started.tools.settled).toBe(false);
  await pidOf(started, "after");
  expect(started.lines).toEqual([]);
});

test("of many changes at once the last is in force, and no process of another is left", SLOW, async () => {
  const started = startTools({ first: byHand("pid") });
  const first = await pidOf(started, "first");
  for (let index = 0; index < 20; index++) {
    started.tools.update(toServers({ [`s${index % 3}`]: byHand("pid", { INDEX: String(index) }) }));
  }
  const last = await pidOf(started, "s1");
  await gone(first);
  expect(started.names()).toEqual(["s1__pid"]);
  await started.tools.close();
  await gone(last);
  // A gateway that closes takes no other servers.
  started.tools.update(toServers({ late: byHand("pid") }));
  expect(started.names().some((name) => name.startsWith("late"))).toBe(false);
});

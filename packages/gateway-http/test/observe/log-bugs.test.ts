import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { captureLog } from "../support/capture-log.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const logging = (more: ConfigInput["logging"] = {}) => ({ level: "info", format: "json", ...more }) as const;

const stackless = Object.defineProperty(new Error("x"), "stack", {
  get() {
    throw new Error("no stack");
  },
});
const wordless = {
  toString() {
    throw new Error("no words");
  },
};

test.each<[string, unknown]>([
  ["an object without a prototype", Object.create(null)],
  ["a symbol", Symbol("x")],
  ["an object that cannot be a text", wordless],
  ["an error that cannot tell its stack", stackless],
])("a bug that is %s has its line too, and the next is served", async (_what, thrown) => {
  const log = captureLog();
  const agent = agentOf(async function* ({ messages }) {
    yield "a";
    if (messages.at(-1)?.content === "hi") throw thrown;
  });
  const door = await startGateway({ agents: [agent], config: { logging: logging() } });
  expect((await ask(door)).status).toBe(500);
  expect((await askStream(door)).error?.code).toBe("internal_error");
  expect(await log.line("run", ({ stream }) => stream === true)).toMatchObject({ ended: "internal_error" });
  const bugs = log.lines().filter(({ msg, runId }) => msg === "bug" && runId !== undefined);
  expect(bugs.map(({ bug }) => typeof bug)).toEqual(["string", "string"]);
  expect((await ask(door, hi({ messages: [{ role: "user", content: "again" }] }))).text).toBe("a");
});

test("a run that cannot be told of is a bug, and ends like any other", async () => {
  const log = captureLog();
  const { gateway } = await startGateway({ agents: [sayer("a")], config: { logging: logging({ content: true }) } });
  const run = gateway.runs.start({
    agent: gateway.defaultAgent,
    turn: { messages: [{ role: "user", content: [null] as never }], instructions: [], params: {}, stream: false },
    session: { owner: "ann", key: "agent:main:x", stateless: true },
  });
  expect((await run.result).answer.text).toBe("a");
  expect(await log.line("bug")).toMatchObject({ runId: run.id, bug: expect.stringContaining("TypeError") });
  expect(gateway.runs.active).toBe(0);
});

test("that a run waited too long for a place is told", async () => {
  const log = captureLog();
  const agent = stepper();
  const limits = { concurrentRuns: 1, queuedRuns: 8, queueTimeoutMs: 20 };
  const door = await startGateway({ agents: [agent.agent], config: { logging: logging(), gateway: { limits } } });
  agent.say("on");
  const under = await door.request("/v1/chat/completions", { body: hi({ stream: true }) });
  await agent.started;
  expect((await ask(door)).status).toBe(503);
  expect(await log.line("all runs are taken: see gateway.limits")).toMatchObject({ level: 40, refused: 1 });
  await under.body?.cancel();
});

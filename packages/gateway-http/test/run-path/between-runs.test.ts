import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createAdmission } from "../../src/runs/admission.ts";
import { createRuns } from "../../src/runs/runs.ts";
import { createWaitingSteps } from "../../src/runs/waiting-steps.ts";
import { createLanes } from "../../src/sessions/lane.ts";
import { createMemoryStore } from "../../src/sessions/memory-store.ts";
import type { SessionStore } from "../../src/sessions/store.ts";
import { stepper } from "../support/agents.ts";

const SESSION = { owner: "o", key: "agent:main:s" };
const turnOver = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs whose answers are kept when the test says so; a log of what was done in the session. */
function open() {
  const log: string[] = [];
  const keeping = Promise.withResolvers<void>();
  const memory = createMemoryStore({ maxEntries: 10, pruneAfterMs: 60_000 });
  const store: SessionStore = {
    ...memory,
    async append(session, addition) {
      if (addition.head !== undefined) await keeping.promise;
      log.push(...addition.entries.map(({ message }) => `${message.role} kept`));
      return memory.append(session, addition);
    },
  };
  const lanes = createLanes(() => ({ concurrency: "queue", maxQueued: 8 }));
  const admission = createAdmission(() => parseConfig({}).config.gateway.limits);
  const runs = createRuns({ store, lanes, admission, waitingSteps: createWaitingSteps(1000) }, () => {});
  const steps = stepper();
  const start = () =>
    runs.start({
      agent: steps.agent,
      turn: { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: true },
      session: { ...SESSION, stateless: false },
    });
  const work = async () => void log.push("work");
  return { ...steps, runs, start, log, work, keep: () => keeping.resolve() };
}

test("what is done between runs waits for one that has ended and is being kept, and the next run for it", async () => {
  const { runs, start, started, say, log, work, keep } = open();
  const run = start();
  await started;
  say("some");
  await turnOver();
  run.abort(new GatewayError("run_aborted", "stop"));
  const done = runs.between(SESSION, work);
  start();
  await turnOver();
  expect(log).toEqual(["user kept"]);
  keep();
  await done;
  await turnOver();
  expect(log).toEqual(["user kept", "assistant kept", "work", "user kept"]);
});

test("nothing is done between runs while one is under way, or while its answer is being kept", async () => {
  const { runs, start, started, say, end, log, work, keep } = open();
  const run = start();
  const busy = { code: "session_busy", status: 409, param: "key" };
  await expect(runs.between(SESSION, work)).rejects.toMatchObject(busy);
  await started;
  say("all");
  end();
  await turnOver();
  expect(run.abortable).toBe(false);
  await expect(runs.between(SESSION, work)).rejects.toMatchObject(busy);
  await runs.between({ ...SESSION, owner: "p" }, work);
  keep();
  await run.result;
  await runs.between(SESSION, work);
  expect(log).toEqual(["user kept", "work", "assistant kept", "work"]);
});

test("what fails between runs holds up no run behind it", async () => {
  const { runs, start, started } = open();
  const failed = runs.between(SESSION, () => Promise.reject(new Error("broken")));
  start();
  await expect(failed).rejects.toThrow("broken");
  expect((await started).messages).toHaveLength(1);
});

import { expect, test } from "vitest";
import { type Asked, startAsked } from "../../src/http/asked.ts";
import type { RunRequest } from "../../src/runs/run-request.ts";

/** What is looked at after the body was read: while a record was looked for, or a picture was fetched. */
function start(recheck: Asked["recheck"]) {
  const started: RunRequest[] = [];
  const runs = { start: (request: RunRequest) => void started.push(request) };
  const run = { limits: { concurrentRuns: 5 }, session: { owner: "bob" } };
  const asked = { body: {}, requestId: "r", run, frames: {}, recheck } as unknown as Asked;
  return { started, start: () => startAsked(asked, { runs, completions: {} } as never) };
}

test("a caller who may not ask any more starts nothing", () => {
  const { started, start: tryIt } = start(() => {
    throw new Error("gone");
  });
  expect(tryIt).toThrow("gone");
  expect(started).toEqual([]);
});

test("a run has the limits that its caller has when it starts", () => {
  const { started, start: tryIt } = start(() => ({ concurrentRuns: 1 }));
  tryIt();
  expect(started).toEqual([expect.objectContaining({ limits: { concurrentRuns: 1 }, session: { owner: "bob" } })]);
});

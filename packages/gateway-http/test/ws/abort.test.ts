import { expect, test } from "vitest";
import { obedient } from "../support/obedient.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const say = (message: string, idempotencyKey: string, sessionKey = "s") => ({ sessionKey, message, idempotencyKey });
const NOTHING = { ok: true, aborted: false, runIds: [] };

/** A run under way in session `s`, and two that wait behind it. */
async function startThree() {
  const told = obedient();
  const { url } = await startGateway({ agents: [told.agent] });
  const client = await connectWatched(url, { token: TOKEN });
  await client.request("chat.send", say("wait", "r1"));
  await told.begun("r1");
  await client.request("chat.send", say("second", "r2"));
  await client.request("agent", say("third", "r3"));
  return {
    ...told,
    client,
    abort: (params: object) => client.request("chat.abort", { sessionKey: "s", ...params }),
    ended: (id: string) => client.untilEvent("chat", ({ runId, state }) => runId === id && state !== "delta"),
  };
}

test("chat.abort without a run ends all of the session, and none of those that waited begins", async () => {
  const { abort, begun, ended, turns, client } = await startThree();
  await client.request("chat.send", say("wait", "other", "t"));
  await begun("other");
  expect(await abort({})).toEqual({ ok: true, aborted: true, runIds: ["r1", "r2", "r3"] });
  for (const id of ["r1", "r2", "r3"]) expect(await ended(id)).toMatchObject({ state: "aborted", stopReason: "rpc" });
  expect(client.payloads("agent").filter(({ runId }) => runId === "r2")).toMatchObject([
    { seq: 1, data: { phase: "end", aborted: true } },
  ]);
  expect(await abort({})).toEqual(NOTHING);
  expect(turns.map(({ runId }) => runId)).toEqual(["r1", "other"]);
  expect(await client.request("agent.wait", { runId: "other", timeoutMs: 0 })).toEqual({
    runId: "other",
    status: "timeout",
  });
});

test("chat.abort of one that waits leaves the others to run in their order", async () => {
  const { abort, ended, go, turns } = await startThree();
  expect(await abort({ runId: "r2" })).toEqual({ ok: true, aborted: true, runIds: ["r2"] });
  expect(await ended("r2")).not.toHaveProperty("message");
  expect(await abort({ runId: "r2" })).toEqual(NOTHING);
  go("r1");
  expect(await ended("r3")).toMatchObject({ state: "final" });
  expect(await abort({ runId: "r1" })).toEqual(NOTHING);
  expect(await abort({ runId: "never-was" })).toEqual(NOTHING);
  expect(turns.map(({ runId }) => runId)).toEqual(["r1", "r3"]);
});

test("chat.abort of one under way lets the next begin", async () => {
  const { abort, ended, client } = await startThree();
  expect(await abort({ runId: "r1" })).toEqual({ ok: true, aborted: true, runIds: ["r1"] });
  expect(await ended("r1")).toMatchObject({ state: "aborted", message: { content: [{ text: "so far" }] } });
  expect(await ended("r2")).toMatchObject({ state: "final" });
  await ended("r3");
  const { messages } = await client.request("chat.history", { sessionKey: "s" });
  expect(messages.map(({ role, stopReason = "" }: Record<string, string>) => `${role} ${stopReason}`.trim())).toEqual([
    ...["user", "assistant aborted", "user", "assistant stop", "user", "assistant stop"],
  ]);
});

test("a run of another session is not ended, under way or over", async () => {
  const { client, abort, go, ended } = await startThree();
  const mismatch = { ok: false, error: { code: "INVALID_REQUEST", message: "runId does not match sessionKey" } };
  expect(await client.ask("chat.abort", { sessionKey: "t", runId: "r1" })).toMatchObject(mismatch);
  expect(await client.ask("sessions.abort", { key: "t", runId: "r2" })).toMatchObject(mismatch);
  go("r1");
  await ended("r3");
  expect(await client.ask("chat.abort", { sessionKey: "t", runId: "r1" })).toMatchObject(mismatch);
  expect(await abort({})).toEqual(NOTHING);
});

test("sessions.abort ends a run by its id, or by its session", async () => {
  const { client, ended } = await startThree();
  const abort = (params: object) => client.request("sessions.abort", params);
  expect(await abort({ runId: "r3" })).toEqual({ ok: true, abortedRunId: "r3", status: "aborted" });
  expect(await abort({ key: "agent:main:s" })).toEqual({ ok: true, abortedRunId: "r1", status: "aborted" });
  expect(await ended("r2")).toMatchObject({ state: "aborted" });
  const none = { ok: true, abortedRunId: null, status: "no-active-run" };
  for (const params of [{ key: "s" }, { runId: "r1" }, { runId: "never-was" }])
    expect(await abort(params)).toEqual(none);
  expect(await client.ask("sessions.abort", {})).toMatchObject({
    ...{ ok: false, error: { code: "INVALID_REQUEST", message: expect.stringMatching(/needs key or runId/) } },
  });
});

import { expect, test, vi } from "vitest";
import type { Turn } from "../../src/chat/turn.ts";
import type { Run } from "../../src/runs/run.ts";
import { obedient } from "../support/obedient.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const say = (message: string, idempotencyKey: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey, ...more },
});
const TIMES = { startedAt: expect.any(Number), endedAt: expect.any(Number) };

async function start() {
  const told = obedient();
  const started = await startGateway({ agents: [told.agent] });
  const client = await connectWatched(started.url, { token: TOKEN });
  const wait = (runId: string, more: object = {}) => client.request("agent.wait", { runId, ...more });
  return { ...told, ...started, client, wait };
}

test("agent.wait says how a run of either method ended, when it ends and later", async () => {
  const { client, wait, begun, go } = await start();
  for (const [index, method] of ["chat.send", "agent"].entries()) {
    const [ok, failed, aborted, late] = ["ok", "failed", "aborted", "late"].map((name) => `${name}-${index}`) as [
      ...string[],
    ] as [string, string, string, string];
    await client.request(method, say("wait", ok));
    await begun(ok);
    const waiting = wait(ok);
    go(ok);
    const terminalReply = { disposition: "visible", text: "so far and on" };
    const end = { runId: ok, status: "ok", ...TIMES, stopReason: "stop", terminalReply };
    expect(await waiting).toEqual(end);
    expect(await wait(ok)).toEqual(end);

    await client.request(method, say("fail", failed));
    expect(await wait(failed)).toEqual({ runId: failed, status: "error", error: "the model is broken", ...TIMES });

    await client.request(method, say("wait", aborted));
    await begun(aborted);
    const stopped = wait(aborted);
    await client.request("chat.abort", { sessionKey: "s", runId: aborted });
    expect(await stopped).toEqual({ runId: aborted, status: "error", error: "aborted", stopReason: "rpc", ...TIMES });

    const limit = method === "agent" ? { timeout: 1 } : { timeoutMs: 10 };
    await client.request(method, say("wait", late, limit));
    const error = `The run took longer than ${method === "agent" ? 1 : 0.01} s.`;
    expect(await wait(late)).toEqual({ runId: late, status: "timeout", error, ...TIMES });
  }
});

test("agent.wait gives up without ending anything, and knows no run of an unknown id", async () => {
  const { client, wait, begun, go } = await start();
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  for (const runId of ["r1", "unknown"]) {
    expect(await wait(runId, { timeoutMs: 5 })).toEqual({ runId, status: "timeout" });
    expect(await wait(runId, { timeoutMs: 0 })).toEqual({ runId, status: "timeout" });
  }
  go("r1");
  expect(await wait("r1")).toMatchObject({ status: "ok" });
});

test("agent.wait says at once that a run stands behind another", async () => {
  const { client, wait, begun, go } = await start();
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  await client.request("chat.send", say("hi", "r2"));
  expect(await wait("r2", { timeoutMs: 600_000 })).toEqual({
    ...{ runId: "r2", status: "pending", timeoutPhase: "queue", providerStarted: false },
  });
  go("r1");
  await client.untilEvent("chat", ({ runId, state }) => runId === "r2" && state === "final");
  expect(await wait("r2")).toMatchObject({ status: "ok" });
});

test("agent.wait knows runs that came over HTTP by the ids of their completions", async () => {
  const { wait, request, turns, go, begun } = await start();
  const ask = (content: string) => {
    const body = { model: "openclaw", messages: [{ role: "user", content }] };
    return request("/v1/chat/completions", { body, headers: { "x-openclaw-session-key": "s" } });
  };
  const first = await ask("hi");
  const over = first.headers.get("x-openclaw-run-id") as string;
  expect(over).toMatch(/^chatcmpl-/);
  expect(await wait(over)).toEqual({ runId: over, status: "ok", ...TIMES });
  const failed = (await ask("fail")).headers.get("x-openclaw-run-id") ?? (turns.at(-1)?.runId as string);
  expect(await wait(failed)).toEqual({ runId: failed, status: "error", error: "the model is broken", ...TIMES });

  const answer = ask("wait");
  await expect.poll(() => turns.length).toBe(3);
  const running = turns[2]?.runId as string;
  await begun(running);
  const waiting = wait(running);
  go(running);
  expect(await waiting).toEqual({ runId: running, status: "ok", ...TIMES });
  await (await answer).text();
});

test("agent.wait says so at once of a run that came over HTTP and stands behind another, too", async () => {
  const { client, wait, request, begun, go, gateway } = await start();
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  const body = { model: "openclaw", messages: [{ role: "user", content: "hi" }] };
  const answer = request("/v1/chat/completions", { body, headers: { "x-openclaw-session-key": "s" } });
  await expect.poll(() => gateway.runs.active).toBe(2);
  const [, second] = [...gateway.runs.all.keys()];
  const runId = second?.id as string;
  expect(await wait(runId, { timeoutMs: 600_000 })).toEqual({
    ...{ runId, status: "pending", timeoutPhase: "queue", providerStarted: false },
  });
  go("r1");
  expect((await answer).status).toBe(200);
  expect(await wait(runId)).toMatchObject({ status: "ok" });
});

test("whoever gave up waiting leaves nothing behind at the run", async () => {
  const { client, wait, begun, go, gateway } = await start();
  await client.request("chat.send", say("wait", "r1"));
  await begun("r1");
  const run = gateway.runs.find("r1", "operator") as Run;
  const then = vi.spyOn(run.result, "then");
  const observe = vi.spyOn(run, "observe");
  for (let index = 0; index < 3; index++) await wait("r1", { timeoutMs: 0 });
  expect(then).not.toHaveBeenCalled();
  expect(observe).toHaveBeenCalledTimes(3);
  // Taken back already: there is nothing to take.
  expect(observe.mock.results.map(({ value }) => value())).toEqual([false, false, false]);
  go("r1");
  expect(await wait("r1")).toMatchObject({ status: "ok" });
});

test("agent.wait waits for a side task, which stands behind nobody", async () => {
  const { wait, begun, go, gateway } = await start();
  const ask = (id: string, ...messages: Turn["messages"]) =>
    gateway.runs.start({
      id,
      agent: gateway.defaultAgent,
      turn: { messages, instructions: [], params: {}, stream: true },
      session: { owner: "operator", key: "agent:main:s", stateless: false, isChat: true },
    });
  await ask("r1", { role: "user", content: "hi" }).result;
  const talk = ["hi", "re: hi", "wait"].map((content, index) => ({
    ...{ role: index === 1 ? ("assistant" as const) : ("user" as const), content },
  }));
  ask("r2", ...talk);
  await begun("r2");
  ask("aside", { role: "user", content: "Name this chat." }, { role: "user", content: "wait" });
  await begun("aside");
  expect(await wait("aside", { timeoutMs: 0 })).toEqual({ runId: "aside", status: "timeout" });
  go("r2");
  go("aside");
  expect(await wait("aside")).toMatchObject({ status: "ok" });
});

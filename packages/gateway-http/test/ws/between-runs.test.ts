import { expect, test } from "vitest";
import type { AgentTurn } from "../../src/index.ts";
import { agentOf, stepper } from "../support/agents.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";

/** A run that has said "some" in session `s`. */
async function start(options: StartOptions = {}) {
  const steps = stepper();
  const started = await startGateway({ agents: [steps.agent], ...options });
  const client = await connectWatched(started.url, { token: TOKEN });
  await client.request("chat.send", { sessionKey: "s", message: "hi", idempotencyKey: "r1" });
  await steps.started;
  steps.say("some");
  await client.untilEvent("chat", ({ state }) => state === "delta");
  const history = async () => {
    const { messages } = await client.request("chat.history", { sessionKey: "s" });
    return messages.map(({ content }: { content: unknown }) => (Array.isArray(content) ? content[0].text : content));
  };
  return { ...steps, ...started, client, history };
}

test.each(["memory", "sqlite"] as const)(
  "what an aborted run has said does not undo the reset behind it: %s",
  async (store) => {
    const { client, history } = await start({ store });
    const [aborted, reset] = await Promise.all([
      client.request("chat.abort", { sessionKey: "s" }),
      client.request("sessions.reset", { key: "s" }),
    ]);
    expect([aborted.aborted, reset.ok]).toEqual([true, true]);
    expect(await history()).toEqual([]);
    expect((await client.request("sessions.describe", { key: "s" })).session).toMatchObject({ hasActiveRun: false });
  },
);

test.each(["memory", "sqlite"] as const)("a session is deleted right behind an abort: %s", async (store) => {
  const { client } = await start({ store });
  const [, { deleted }] = await Promise.all([
    client.request("chat.abort", { sessionKey: "s" }),
    client.request("sessions.delete", { key: "s" }),
  ]);
  expect(deleted).toBe(true);
  expect((await client.request("sessions.describe", { key: "s" })).session).toBeNull();
});

test.each(["queue", "reject", "interrupt"] as const)(
  "what is said right behind a reset comes after it: %s",
  async (concurrency) => {
    const turns: AgentTurn[] = [];
    const agent = agentOf(async function* (turn) {
      turns.push(turn);
      yield "answer";
    });
    const { url } = await startGateway({ agents: [agent], config: { sessions: { concurrency } } });
    const client = await connectWatched(url, { token: TOKEN });
    const said = (id: string) => client.untilEvent("chat", ({ runId, state }) => runId === id && state !== "delta");
    await client.request("chat.send", { sessionKey: "s", message: "before", idempotencyKey: "r1" });
    await said("r1");
    const [reset, sent] = await Promise.all([
      client.request("sessions.reset", { key: "s" }),
      client.request("chat.send", { sessionKey: "s", message: "after", idempotencyKey: "r2" }),
    ]);
    expect([reset.ok, sent.status, (await said("r2")).state]).toEqual([true, "started", "final"]);
    expect(turns.at(-1)?.messages.map(({ content }) => content)).toEqual(["after"]);
  },
);

test.each(["queue", "reject", "interrupt"] as const)(
  "words that are put in wait for the run under way: %s",
  async (concurrency) => {
    const { client, say, end, history } = await start({ config: { sessions: { concurrency, maxQueued: 1 } } });
    const injected = client.request("chat.inject", { sessionKey: "s", message: "later" });
    // It has begun to wait when this is answered.
    await client.request("health");
    say(" more");
    end();
    await injected;
    expect(client.payloads("chat").filter(({ state }) => state === "aborted")).toEqual([]);
    expect(await history()).toEqual(["hi", "some more", "later"]);
  },
);

test("an answer that is kept already is not in the history twice", async () => {
  const { client, history, gateway, say, end } = await start();
  await client.request("sessions.subscribe");
  end();
  await client.untilEvent("chat", ({ state }) => state === "final");
  const keeping = Promise.withResolvers<void>();
  const run = gateway.runs.start({
    agent: gateway.defaultAgent,
    turn: { messages: [{ role: "user", content: "and?" }], instructions: [], params: {}, stream: true },
    session: { owner: "operator", key: "agent:main:s", stateless: false },
    hooks: { beforeEnd: () => keeping.promise },
  });
  say("yes");
  await client.untilEvent("chat", ({ runId }) => runId === run.id);
  const before = await client.request("chat.history", { sessionKey: "s" });
  expect(before.inFlightRun).toEqual({ runId: run.id, text: "yes" });
  end();
  await client.untilEvent("session.message", ({ message }) => message.content[0]?.text === "yes");
  expect(run.ended).toBe(false);
  expect(await client.request("chat.history", { sessionKey: "s" })).not.toHaveProperty("inFlightRun");
  expect(await history()).toEqual(["hi", "some", "and?", "yes"]);
  keeping.resolve();
  await run.result;
});

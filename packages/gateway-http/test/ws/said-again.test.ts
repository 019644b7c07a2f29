import { HEADERS } from "@openclaw/protocol";
import { expect, test } from "vitest";
import type { Agent } from "../../src/index.ts";
import { agentOf, stepper } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { obedient } from "../support/obedient.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const say = (message: string, idempotencyKey: string) => ({ sessionKey: "s", message, idempotencyKey });

async function start(agents?: Agent[]) {
  const told = obedient();
  const started = await startGateway({ agents: agents ?? [told.agent] });
  const client = await connectWatched(started.url, { token: TOKEN });
  await client.request("sessions.subscribe");
  return {
    ...told,
    ...started,
    client,
    ended: (id: string) => client.untilEvent("chat", ({ runId, state }) => runId === id && state !== "delta"),
    history: () => client.request("chat.history", { sessionKey: "s" }),
  };
}

test.each(["chat.send", "agent"])(
  "%s with the first words of a talk that came over HTTP goes on with it",
  async (method) => {
    const { client, turns, ended, ...started } = await start();
    const messages = [
      { role: "user", content: "go on" },
      { role: "assistant", content: "one" },
      { role: "user", content: "two" },
    ];
    await ask(started, hi({ messages }), { [HEADERS.sessionKey]: "s" });
    await client.request(method, say("go on", "r1"));
    await ended("r1");
    expect(turns.at(-1)?.messages.map(({ content }) => content)).toEqual(["go on", "one", "two", "re: two", "go on"]);
  },
);

test("a question asked again after a failure is a message of its own, also while it is answered", async () => {
  const steps = stepper();
  let runs = 0;
  const agent = agentOf(async function* (turn, signal) {
    if (++runs === 1) throw new Error("broken before the first word");
    yield* steps.agent.run(turn, { signal });
  });
  const { client, ended, history } = await start([agent]);
  await client.request("chat.send", say("hi", "r1"));
  await ended("r1");
  await client.request("chat.send", say("hi", "r2"));
  await steps.started;
  const keyOf = ({ idempotencyKey }: { idempotencyKey: string }) => idempotencyKey;
  const told = await client.untilEvent("session.message", ({ message }) => keyOf(message) === "r2:user");
  expect(await history()).toMatchObject({ messages: [told.message], inFlightRun: { runId: "r2" } });
  steps.say("hello");
  steps.end();
  await ended("r2");
  expect((await history()).messages).toEqual([told.message, expect.objectContaining({ role: "assistant" })]);
});

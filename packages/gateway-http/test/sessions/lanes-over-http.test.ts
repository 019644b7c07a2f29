import { expect, onTestFinished, test, vi } from "vitest";
import type { AgentTurn } from "../../src/index.ts";
import { agentOf, stepper } from "../support/agents.ts";
import { ask, hi, openRaw } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { startGateway } from "../support/start-gateway.ts";

const says = (content: string, more: object = {}) => hi({ messages: [{ role: "user", content }], ...more });
const talkOf = ({ messages }: AgentTurn) => messages.map(({ content }) => content).join(", ");

test("runs of one session wait for each other, in the order they came", async () => {
  const { provider, gateway, ...door } = await startWithProvider();
  const answers = [];
  for (const [index, text] of ["one", "two", "three"].entries()) {
    answers.push(ask(door, says(text, { user: "ann" })));
    await expect.poll(() => gateway.runs.active, { interval: 5 }).toBe(index + 1);
  }
  for (const text of ["one", "two", "three"]) {
    const exchange = await provider.next();
    expect(exchange.json.messages.at(-1)?.content).toBe(text);
    expect(exchange.json.messages.at(-2)?.content).toBe(text === "one" ? undefined : "ok");
    exchange.answer(200, { choices: [{ message: { content: "ok" }, finish_reason: "stop" }] });
  }
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("distinct sessions run side by side", async () => {
  const { provider, ...door } = await startWithProvider();
  const answers = ["ann", "bob"].map((name) => ask(door, says("hi", { user: name })));
  const exchanges = [await provider.next(), await provider.next()];
  for (const exchange of exchanges) exchange.answer(200, { choices: [{ message: { content: "ok" } }] });
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("a full queue is 429 at once, as plain JSON even for a stream", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { maxQueued: 0 } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const { response, json } = await ask(door, hi({ user: "ann", stream: true }));
  expect([response.status, json.error.code]).toEqual([429, "queue_full"]);
  expect(response.headers.get("retry-after")).toBe("1");
  end();
  await first;
});

test("reject: 409 session_busy, which may be tried again", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { concurrency: "reject" } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const { response, json } = await ask(door, hi({ user: "ann" }));
  expect([response.status, json.error.code, response.headers.get("x-should-retry")]).toEqual([
    409,
    "session_busy",
    "true",
  ]);
  end();
  expect((await first).status).toBe(200);
});

test("interrupt: the running one's caller gets 409 run_aborted, not to be tried again", async () => {
  const { agent, started, say, aborted, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { concurrency: "interrupt" } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const second = ask(door, hi({ user: "ann" }));
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  const { response, json } = await first;
  expect([response.status, json.error.code, response.headers.get("x-should-retry")]).toEqual([
    409,
    "run_aborted",
    "false",
  ]);
  // The first run took one step of the agent's with it.
  say("lost");
  say("second");
  end();
  expect((await second).text).toContain("second");
});

test("stateless runs have no lane", async () => {
  const { provider, ...door } = await startWithProvider({ config: { sessions: { concurrency: "reject" } } });
  const answers = [ask(door), ask(door)];
  const exchanges = [await provider.next(), await provider.next()];
  for (const exchange of exchanges) exchange.answer(200, { choices: [{ message: { content: "ok" } }] });
  for (const answer of answers) expect((await answer).status).toBe(200);
});

test("a client that leaves while it waits is forgotten by its session", async () => {
  const heard: string[] = [];
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* (turn) {
    heard.push(talkOf(turn));
    await gate.promise;
    yield "ok";
  });
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  const active = () => expect.poll(() => gateway.runs.active, { interval: 5 });
  const first = ask(door, says("one", { user: "ann" }));
  await active().toBe(1);
  const second = openRaw(door, says("two", { user: "ann" }));
  await active().toBe(2);
  second.kill();
  await active().toBe(1);
  gate.resolve();
  await first;
  await ask(door, says("three", { user: "ann" }));
  expect(heard).toEqual(["one", "one, ok, three"]);
});

test("a run that is over frees its session, even if its agent does not listen", async () => {
  let runs = 0;
  const agent = agentOf(
    async function* () {
      if (runs++ === 0) await new Promise(() => {});
      yield "ok";
    },
    { timeoutSeconds: 0.1 },
  );
  const door = await startGateway({ agents: [agent] });
  expect((await ask(door, hi({ user: "ann" }))).status).toBe(504);
  expect((await ask(door, hi({ user: "ann" }))).text).toBe("ok");
});

test("waiting for a lane is not the run's time", async () => {
  let begun = 0;
  const slow = agentOf(
    async function* () {
      begun++;
      await new Promise((resolve) => setTimeout(resolve, 450));
      yield "ok";
    },
    { timeoutSeconds: 1 },
  );
  const door = await startGateway({ agents: [slow] });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const answers = Promise.all(["one", "two", "three"].map((text) => ask(door, says(text, { user: "ann" }))));
  await expect.poll(() => door.gateway.runs.active).toBe(3);
  // The third waits and runs for longer than any run may take.
  for (let run = 1; run <= 3; run++) {
    await expect.poll(() => begun).toBe(run);
    await vi.advanceTimersByTimeAsync(450);
  }
  expect((await answers).map(({ response }) => response.status)).toEqual([200, 200, 200]);
});

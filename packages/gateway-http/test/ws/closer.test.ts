import { expect, test } from "vitest";
import { agentOf, stepper } from "../support/agents.ts";
import { connectMany } from "../support/connect-many.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const RUNS = 20;
const OTHERS = 200;

test("who begins to use sessions in the midst of their runs misses nothing, however many look on", async () => {
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* () {
    for (const id of ["c1", "c2", "c3"]) {
      yield { type: "tool-start", id, name: "look" };
      yield { type: "tool-end", id, ok: true };
    }
    await gate.promise;
    yield "text";
  });
  const config = { gateway: { limits: { concurrentRuns: 100, queuedRuns: 100 } } };
  const { url, request } = await startGateway({ agents: [agent], config });
  const caps = ["tool-events"];
  const others = await connectMany(url, OTHERS, { token: TOKEN, caps });
  // The last of them has its turn when all others have had theirs.
  const client = await connectWatched(url, { token: TOKEN, caps });
  await client.request("sessions.subscribe");
  const body = { model: "openclaw", stream: true, messages: [{ role: "user", content: "hi" }] };
  const answers = Array.from({ length: RUNS }, async (_, run) => {
    const answer = await request("/v1/chat/completions", { body, headers: { "x-openclaw-session-key": `s${run}` } });
    return answer.text();
  });
  await others[0]?.untilEvent("agent");
  await Promise.all(Array.from({ length: RUNS }, (_, run) => client.request("sessions.describe", { key: `s${run}` })));
  gate.resolve();
  await Promise.all(answers);
  for (let run = 0; run < RUNS; run++) {
    const isItsEnd = (payload: { sessionKey: string; phase?: string }) =>
      payload.sessionKey === `agent:main:s${run}` && payload.phase === "end";
    await client.untilEvent("sessions.changed", isItsEnd);
  }
  const told: Record<string, number> = {};
  const count = (what: string) => {
    told[what] = (told[what] ?? 0) + 1;
  };
  for (const { stream, data } of client.payloads("agent")) if (stream !== "assistant") count(`${stream} ${data.phase}`);
  for (const { state } of client.payloads("chat")) if (state !== "delta") count(state);
  for (const { message } of client.payloads("session.message")) count(message.role);
  for (const { phase } of client.payloads("sessions.changed")) count(phase);
  const calls = 3 * RUNS;
  expect(told).toEqual({
    ...{ "lifecycle start": RUNS, "tool start": calls, "tool result": calls, "lifecycle end": RUNS, final: RUNS },
    ...{ user: RUNS, assistant: RUNS, start: RUNS, end: RUNS },
  });
  for (const other of others) other.socket.terminate();
});

test("who comes in the midst of a run has all that was said in its first piece, and then what is new", async () => {
  const { agent, say, started, end } = stepper();
  const { url } = await startGateway({ agents: [agent] });
  const first = await connectWatched(url, { token: TOKEN });
  await first.request("chat.send", { sessionKey: "s", message: "hi", idempotencyKey: "r1" });
  await started;
  say("one");
  await first.untilEvent("chat", ({ state }) => state === "delta");
  const scoped = await connectWatched(url, { token: TOKEN, caps: ["session-scoped-events"] });
  const { inFlightRun } = await scoped.request("chat.history", { sessionKey: "s" });
  expect(inFlightRun).toEqual({ runId: "r1", text: "one" });
  await scoped.request("sessions.messages.subscribe", { key: "s" });
  const plain = await connectWatched(url, { token: TOKEN });
  const clients = [first, scoped, plain];
  const hear = (text: string) =>
    Promise.all(clients.map((one) => one.untilEvent("chat", ({ message }) => message?.content[0].text === text)));
  say(" two");
  await hear("one two");
  say(" three");
  await hear("one two three");
  end();
  for (const one of clients) await one.untilEvent("chat", ({ state }) => state === "final");
  for (const one of [scoped, plain]) {
    const deltas = one.payloads("chat").filter(({ state }) => state === "delta");
    expect(deltas.map(({ deltaText, replace }) => [deltaText, replace])).toEqual([
      ["one two", true],
      [" three", undefined],
    ]);
    const said = one.payloads("agent").filter(({ stream }) => stream === "assistant");
    expect(said.map(({ data: { delta, replace } }) => [delta, replace])).toEqual([
      ["one two", true],
      [" three", undefined],
    ]);
  }
  expect(first.payloads("chat").some(({ replace }) => replace)).toBe(false);
});

test("who comes between a call and its result hears which tool it was", async () => {
  const { agent, say, started, end } = stepper();
  const { url, request } = await startGateway({ agents: [agent] });
  const body = { model: "openclaw", stream: true, messages: [{ role: "user", content: "hi" }] };
  const answer = request("/v1/chat/completions", { body, headers: { "x-openclaw-session-key": "s" } });
  await started;
  const call = { id: "c1", type: "function" as const, function: { name: "look", arguments: "{}" } };
  say({ type: "step", message: { role: "assistant", content: null, tool_calls: [call] } });
  say({ type: "tool-start", id: "c1", name: "look" });
  say("so");
  const reader = (await answer).body?.getReader();
  for (let text = ""; !text.includes('"so"'); ) text += new TextDecoder().decode((await reader?.read())?.value);
  const client = await connectWatched(url, { token: TOKEN, caps: ["tool-events"] });
  say({ type: "step", message: { role: "tool", tool_call_id: "c1", content: "found" } });
  end();
  await client.untilEvent("chat", ({ state }) => state === "final");
  const [tool] = client.payloads("agent").filter(({ stream }) => stream === "tool");
  expect(tool.data).toMatchObject({ phase: "result", name: "look", result: { content: [{ text: "found" }] } });
});

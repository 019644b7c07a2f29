import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import type { SocketClient } from "../support/socket-client.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const KEY = "agent:main:s";
const say = (message: string, idempotencyKey: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey, ...more },
});

/** What came after the first answer to a request for a run, each in one word or two; text in pieces counts as one. */
function storyOf({ frames }: SocketClient): string[] {
  const story: string[] = [];
  for (const frame of frames) {
    // biome-ignore lint/suspicious/noExplicitAny: the referee looks at the shapes.
    const { event, payload: about = {}, id, ok } = frame as any;
    if (frame.type === "res") story.push(`res ${id} ${about.status ?? ok}`);
    else if (event === "agent") story.push(`agent ${about.stream} ${about.data.phase ?? ""}`.trim());
    else if (event === "chat") story.push(`chat ${about.state}`);
    else if (event === "session.message") story.push(`message ${about.message.role}`);
    else if (event === "sessions.changed") story.push(`changed ${about.phase}`);
  }
  const begin = story.findIndex((line) => /started|accepted/.test(line));
  return story.slice(begin).filter((line, index, all) => line !== all[index - 2] || !/assistant|delta/.test(line));
}

const BEGIN = ["message user", "changed start", "agent lifecycle start"];
const SAID = ["agent assistant", "chat delta"];

test.each(["memory", "sqlite"] as const)(
  "the frames of a good turn come in order, with sessions in %s",
  async (store) => {
    const { url } = await startGateway({ agents: [sayer("Hello", " there", ".")], store });
    const chat = await connectWatched(url, { token: TOKEN });
    await chat.request("sessions.subscribe");
    chat.send({ type: "req", id: "send", method: "chat.send", params: say("hi", "r1") });
    const end = ["message assistant", "agent lifecycle end", "chat final", "changed end"];
    await chat.untilEvent("sessions.changed", ({ phase }) => phase === "end");
    expect(storyOf(chat)).toEqual(["res send started", ...BEGIN, ...SAID, ...end]);
    expect(chat.payloads("agent")[0]).toMatchObject({ runId: "r1", sessionKey: KEY, agentId: "main", seq: 1 });
    expect(chat.payloads("chat").at(-1)).toMatchObject({
      ...{ runId: "r1", sessionKey: KEY, agentId: "main", state: "final", stopReason: "stop" },
      message: { role: "assistant", content: [{ type: "text", text: "Hello there." }] },
    });
    const [asked, answered] = chat.payloads("session.message");
    expect(asked).toMatchObject({
      message: { content: "hi", idempotencyKey: "r1:user", __openclaw: { seq: 1 } },
      session: { hasActiveRun: true, activeRunIds: ["r1"] },
    });
    expect(answered).toMatchObject({ messageSeq: 2, message: { __openclaw: { seq: 2, runId: "r1" } } });
    const [, changed] = chat.payloads("sessions.changed");
    expect(changed).toMatchObject({ runId: "r1", session: { hasActiveRun: false, activeRunIds: [] } });

    const agent = await connectWatched(url, { token: TOKEN });
    await agent.request("sessions.subscribe");
    agent.send({ type: "req", id: "ask", method: "agent", params: say("hi", "r2") });
    const last = await agent.until(({ id, payload }) => id === "ask" && payload.status === "ok");
    expect(storyOf(agent)).toEqual(["res ask accepted", ...BEGIN, ...SAID, ...end, "res ask ok"]);
    expect(last).toMatchObject({
      payload: {
        summary: "completed",
        result: {
          payloads: [{ text: "Hello there.", mediaUrl: null }],
          meta: { agentMeta: { sessionId: asked.sessionId } },
        },
      },
    });
  },
);

test("a turn that is aborted has its partial text, and one that fails its kind of failure", async () => {
  const { agent, say: speak, started } = stepper();
  const failing = agentOf(
    async function* () {
      yield "so f";
      throw new GatewayError("provider_rate_limited", "slow down");
    },
    { id: "failing" },
  );
  const { url } = await startGateway({ agents: [agent, failing] });
  const client = await connectWatched(url, { token: TOKEN });
  await client.request("sessions.subscribe");
  client.send({ type: "req", id: "send", method: "chat.send", params: say("hi", "r1") });
  await started;
  speak("one");
  await client.untilEvent("chat", ({ state }) => state === "delta");
  expect(await client.request("chat.abort", { sessionKey: "s", runId: "r1" })).toEqual({
    ...{ ok: true, aborted: true, runIds: ["r1"] },
  });
  await client.untilEvent("sessions.changed", ({ phase }) => phase === "end");
  const [first, ...ending] = storyOf(client).slice(-4);
  // Its words are kept after everybody was told.
  expect([first, ...ending].filter((line) => !line?.startsWith("message"))).toContain("chat aborted");
  expect(client.payloads("chat").at(-1)).toMatchObject({
    ...{ state: "aborted", stopReason: "rpc", message: { content: [{ text: "one" }] } },
  });
  expect(client.payloads("agent").at(-1)).toMatchObject({
    ...{ stream: "lifecycle", data: { phase: "end", status: "cancelled", aborted: true, stopReason: "rpc" } },
  });

  client.send({
    type: "req",
    id: "fail",
    method: "chat.send",
    params: say("hi", "r2", { sessionKey: "agent:failing:s" }),
  });
  await client.untilEvent("sessions.changed", ({ phase }) => phase === "error");
  expect(client.payloads("chat").at(-1)).toMatchObject({
    ...{ runId: "r2", state: "error", errorMessage: "slow down", errorKind: "rate_limit" },
    message: { content: [{ text: "so f" }] },
  });
  expect(client.payloads("agent").at(-1)).toMatchObject({ data: { phase: "error", error: "slow down" } });
});

test("tools are told of to clients that know them, and cost the others no number", async () => {
  const call = { id: "call_1", type: "function" as const, function: { name: "look", arguments: '{"at":"sky"}' } };
  const agent = agentOf(async function* () {
    yield "Let me see.";
    yield { type: "step", message: { role: "assistant", content: null, tool_calls: [call] } };
    yield { type: "tool-start", id: "call_1", name: "look" };
    yield { type: "tool-end", id: "call_1", name: "look", ok: true };
    yield { type: "step", message: { role: "tool", tool_call_id: "call_1", content: "blue" } };
    yield " Blue.";
  });
  const { url } = await startGateway({ agents: [agent] });
  const [with_, without] = await Promise.all([
    connectWatched(url, { token: TOKEN, caps: ["tool-events"] }),
    connectWatched(url, { token: TOKEN }),
  ]);
  await with_.request("chat.send", say("hi", "r1"));
  const finals = await Promise.all(
    [with_, without].map((client) => client.untilEvent("chat", ({ state }) => state === "final")),
  );
  for (const final of finals) expect(final.message.content[0].text).toBe("Let me see. Blue.");
  const tools = with_.payloads("agent").filter(({ stream }) => stream === "tool");
  expect(tools.map(({ data }) => data)).toEqual([
    { phase: "start", name: "look", toolCallId: "call_1", args: { at: "sky" } },
    {
      ...{ phase: "result", name: "look", toolCallId: "call_1", isError: false },
      result: { content: [{ type: "text", text: "blue" }] },
    },
  ]);
  expect(without.payloads("agent").filter(({ stream }) => stream === "tool")).toEqual([]);
  for (const client of [with_, without]) {
    const numbers = client.payloads("agent").map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  }
});

test("a client with session-scoped-events hears of the sessions that it subscribed to", async () => {
  const { url } = await startGateway({ agents: [sayer("yes")] });
  const client = await connectWatched(url, { token: TOKEN, caps: ["session-scoped-events"] });
  expect(await client.request("sessions.messages.subscribe", { key: "s" })).toEqual({ subscribed: true, key: KEY });
  await client.request("chat.send", say("hi", "other", { sessionKey: "other" }));
  await client.request("agent.wait", { runId: "other" });
  await client.request("chat.send", say("hi", "r1"));
  await client.untilEvent("chat", ({ state }) => state === "final");
  expect(await client.request("sessions.messages.unsubscribe", { key: "s" })).toEqual({ subscribed: false, key: KEY });
  await client.request("agent", say("again", "r2"));
  await client.until(({ type, payload }) => type === "res" && payload?.status === "ok" && payload.runId === "r2");
  const heard = new Set(client.events.flatMap(({ payload }) => (payload as { runId?: string }).runId ?? []));
  expect([...heard]).toEqual(["r1"]);
});

test("a client that means a session in the midst of a run goes on hearing of it as one talk", async () => {
  const { agent, say: speak, end, started } = stepper();
  const { url, request } = await startGateway({ agents: [agent] });
  const client = await connectWatched(url, { token: TOKEN });
  const body = { model: "openclaw", stream: true, messages: [{ role: "user", content: "hi" }] };
  const answer = request("/v1/chat/completions", { body, headers: { "x-openclaw-session-key": "s" } });
  await started;
  speak("Hello");
  await client.untilEvent("chat", ({ state }) => state === "delta");
  await client.request("chat.history", { sessionKey: "s" });
  speak(" there");
  end();
  await (await answer).text();
  await client.untilEvent("chat", ({ state }) => state === "final");
  const said = client.payloads("chat").filter(({ state }) => state === "delta");
  expect(said.map(({ deltaText }) => deltaText).join("")).toBe("Hello there");
});

test("a client that leaves ends nothing, and finds the run where it is when it comes again", async () => {
  const { agent, say: speak, end, started } = stepper();
  const { url } = await startGateway({ agents: [agent] });
  const first = await connectWatched(url, { token: TOKEN });
  await first.request("chat.send", say("hi", "r1"));
  await started;
  speak("Hello");
  const { seq } = await first.untilEvent("chat", ({ state }) => state === "delta");
  await first.close();
  const again = await connectWatched(url, { token: TOKEN });
  const { inFlightRun } = await again.request("chat.history", { sessionKey: "s" });
  expect(inFlightRun).toEqual({ runId: "r1", text: "Hello" });
  speak(" again");
  end();
  expect(await again.untilEvent("chat", ({ state }) => state === "final")).toMatchObject({
    message: { content: [{ text: "Hello again" }] },
  });
  // A lower number than it knows would look like what it has heard already.
  for (const event of again.payloads("agent")) expect(event.seq).toBeGreaterThan(seq);
  expect(await again.request("agent.wait", { runId: "r1" })).toMatchObject({ status: "ok" });
});

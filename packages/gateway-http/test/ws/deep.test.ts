import { expect, onTestFinished, test, vi } from "vitest";
import { agentOf, sayer } from "../support/agents.ts";
import { connectMany } from "../support/connect-many.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

/** Arguments that can be read and not written again, so deep are they. */
const DEEP = `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;

const call = { id: "c1", type: "function" as const, function: { name: "look", arguments: DEEP } };

/** Keeps what would end the process. */
function catchAll() {
  const caught: unknown[] = [];
  const on = vi.fn((error) => caught.push(error));
  process.on("uncaughtException", on);
  onTestFinished(() => void process.off("uncaughtException", on));
  return caught;
}

test.each([1, 70])("a talk with deeply nested arguments is told to %s, and can be read", async (count) => {
  const caught = catchAll();
  const { url, request } = await startGateway({ agents: [sayer("yes")] });
  const clients = await connectMany(url, count, { token: TOKEN });
  for (const client of clients) await client.request("sessions.subscribe");
  const messages = [
    { role: "user", content: "hi" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "x" },
    { role: "user", content: "so?" },
  ];
  const headers = { "x-openclaw-session-key": "s" };
  const answer = await request("/v1/chat/completions", { headers, body: { model: "openclaw", messages } });
  expect(answer.status).toBe(200);
  const told = { role: "assistant", content: [{ type: "toolCall", id: "c1", name: "look", arguments: DEEP }] };
  for (const client of clients) {
    await client.untilEvent("sessions.changed", ({ phase }) => phase === "end");
    expect(client.payloads("session.message").map(({ messageSeq }) => messageSeq)).toEqual([1, 2, 3, 4, 5]);
    expect(client.payloads("session.message")[1].message).toMatchObject(told);
  }
  const history = await clients[0]?.request("chat.history", { sessionKey: "s" });
  expect(history.messages[1]).toMatchObject(told);
  expect(caught).toEqual([]);
});

test.each([1, 70])("an agent's deeply nested call is told to %s", async (count) => {
  const caught = catchAll();
  const agent = agentOf(async function* () {
    yield { type: "step", message: { role: "assistant", content: null, tool_calls: [call] } };
    yield { type: "tool-start", id: "c1", name: "look" };
    yield { type: "step", message: { role: "tool", tool_call_id: "c1", content: "found" } };
    yield { type: "tool-end", id: "c1", ok: true };
    yield "done";
  });
  const { url } = await startGateway({ agents: [agent] });
  const [client, ...others] = await connectMany(url, count + 1, { token: TOKEN, caps: ["tool-events"] });
  await client?.request("chat.send", { sessionKey: "s", message: "hi", idempotencyKey: "r1" });
  for (const one of [client, ...others]) {
    await one?.untilEvent("chat", ({ state }) => state === "final");
    const [start, result] = one?.payloads("agent").filter(({ stream }) => stream === "tool") ?? [];
    expect(start?.data).toEqual({ phase: "start", name: "look", toolCallId: "c1", args: DEEP });
    expect(result?.data).toMatchObject({ phase: "result", name: "look" });
  }
  expect(caught).toEqual([]);
});

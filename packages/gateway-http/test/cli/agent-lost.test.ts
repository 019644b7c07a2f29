import { expect, test } from "vitest";
import { agentOf, stepper } from "../support/agents.ts";
import { startGateway } from "../support/start-gateway.ts";
import { startAgent } from "./agent-command.ts";
import { startCutProxy } from "./cut-proxy.ts";
import { startFakeGateway } from "./fake-gateway.ts";

/** A command whose run has said something, over a network that can be cut. */
async function startCut(more: { comeBackMs?: readonly number[]; json?: boolean } = {}) {
  const { agent: main, say, end, aborted } = stepper();
  const door = await startGateway({ agents: [main] });
  const proxy = await startCutProxy(door.port);
  const running = await startAgent({ port: proxy.port, ...more });
  say("one ");
  if (!more.json) await running.printed("one ");
  return { door, proxy, running, say, end, aborted };
}

test("a connection that breaks is made anew, and nothing is said twice", async () => {
  const { proxy, running, say, end } = await startCut();
  for (const text of ["two ", "three "]) {
    proxy.cut();
    say(text);
    await running.printed(text);
  }
  end();
  expect(await running.exited).toEqual({ code: 0, out: "one two three \n", notices: "" });
});

test("what ended meanwhile is told", async () => {
  const { door, proxy, running, say, end } = await startCut();
  const goOn = proxy.hold();
  proxy.cut();
  say("two");
  end();
  await expect.poll(() => door.gateway.runs.active).toBe(0);
  goOn();
  expect(await running.exited).toEqual({ code: 0, out: "one two\n", notices: "" });
});

test("a connection that does not come back ends the command, with words", async () => {
  const { proxy, running } = await startCut();
  proxy.close();
  await expect(running.exited).rejects.toThrow(
    /^The gateway at http:\S+ was lost, and does not come back: the run may go on there, in session agent:main:openai:\S+\.$/,
  );
  expect(running.out).toBe("one \n");
});

test("a gateway that was started anew is not asked again", async () => {
  const { proxy, running } = await startCut();
  let asked = 0;
  const other = agentOf(async function* () {
    asked++;
    yield "again";
  });
  proxy.leadTo((await startGateway({ agents: [other] })).port);
  proxy.cut();
  await expect(running.exited).rejects.toThrow(/was started anew during the run\.$/);
  expect(asked).toBe(0);
});

test("a gateway that stops during the run ends it, in its own words", async () => {
  const { door, running } = await startCut();
  await door.gateway.close({ drainTimeoutMs: 0 });
  const { code, out, notices } = await running.exited;
  expect([code, out, notices]).toEqual([1, "one \n", expect.stringMatching(/shutting down|stopp/)]);
});

test("a signal while the connection is away ends the command", async () => {
  const { proxy, running } = await startCut();
  proxy.hold();
  proxy.cut();
  running.stop(130);
  expect(await running.exited).toMatchObject({
    code: 130,
    notices: expect.stringMatching(/does not say that the run has ended\.\n$/),
  });
});

test("a gateway that falls silent is not waited for", async () => {
  const { port, asked } = await startFakeGateway({ tickIntervalMs: 10 });
  const running = await startAgent({ port });
  await expect(running.exited).rejects.toThrow(/was lost, and does not come back/);
  // Once, and after each of the two attempts to come back.
  expect(asked.filter((method) => method === "agent")).toHaveLength(3);
});

test("answers that are not understood end the command", async () => {
  const { port } = await startFakeGateway({ answer: { ok: true, payload: { status: "odd" } } });
  await expect((await startAgent({ port })).exited).rejects.toThrow("The gateway's answer to agent is not understood");
});

test("what a gateway says cannot move the terminal's cursor", async () => {
  const error = { code: "UNAVAILABLE", message: "no\u001b[2J\r\nway" };
  const { port } = await startFakeGateway({ answer: { ok: false, error } });
  await expect((await startAgent({ port })).exited).rejects.toThrow(/^no\[2Jway$/);
});

test("text that is told in whatever portions is printed once", async () => {
  const say = (text: string, delta?: string) => ({
    ...{ runId: "", sessionKey: "x", seq: 1, state: "delta", deltaText: delta ?? text },
    message: { role: "assistant", content: text, timestamp: 1 },
  });
  const chats = [say("a"), say("a"), say("abc", "c"), say("ab"), say("abcd", "d"), { nonsense: true }];
  const { port } = await startFakeGateway({ chats, answer: { ok: true, payload: "ok" } });
  expect((await (await startAgent({ port })).exited).out).toBe("abcd\n");
});

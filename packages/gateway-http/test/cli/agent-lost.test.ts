import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { type StartOptions, startGateway } from "../support/start-gateway.ts";
import { agent, startAgent } from "./agent-command.ts";
import { startCutProxy } from "./cut-proxy.ts";
import { about, done, startFakeGateway } from "./fake-gateway.ts";

/** A command whose run has said something, over a network that can be cut. */
async function startCut({ store = "memory" }: Pick<StartOptions, "store"> = {}) {
  const { agent: main, say, end } = stepper();
  const door = await startGateway({ agents: [main], store });
  const proxy = await startCutProxy(door.port);
  const running = await startAgent({ port: proxy.port });
  say("one ");
  await running.printed("one ");
  return { door, proxy, running, say, end };
}

test("a connection that breaks is made anew, and nothing is said twice", async () => {
  const { proxy, running, say, end } = await startCut();
  // More often than there are attempts without a word of the run.
  for (const text of ["two ", "three ", "four "]) {
    proxy.cut();
    say(text);
    await running.printed(text);
  }
  end();
  expect(await running.exited).toEqual({ code: 0, out: "one two three four \n", notices: "" });
});

test("a run that says nothing is not given up, however often the connection breaks", async () => {
  const { port } = await startFakeGateway({
    methods: {
      agent: ({ runId, before, respond }) =>
        respond({ ok: true, payload: before < 6 ? { ...about(runId), status: "in_flight" } : done(runId, "late") }),
      "agent.wait": ({ cut }) => cut(),
    },
  });
  expect(await agent({ port, "session-key": "trip" })).toEqual({ code: 0, out: "late\n", notices: "" });
});

test("a run that waits for another one is looked at twice a second", async () => {
  const at: number[] = [];
  const { port } = await startFakeGateway({
    methods: {
      agent({ runId, before, respond }) {
        at.push(performance.now());
        respond({ ok: true, payload: before < 1 ? { ...about(runId), status: "in_flight" } : done(runId, "my turn") });
      },
      "agent.wait": ({ runId, respond }) =>
        respond({ ok: true, payload: { runId, status: "pending", timeoutPhase: "queue", providerStarted: false } }),
    },
  });
  expect((await agent({ port, "session-key": "trip" })).out).toBe("my turn\n");
  const [first = 0, second = 0] = at;
  expect(second - first).toBeGreaterThan(490);
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

test("what a gateway that was started anew kept of a run without a session is deleted", async () => {
  const { door, proxy, running } = await startCut({ store: "sqlite" });
  const goOn = proxy.hold();
  proxy.cut();
  await door.gateway.close({ drainTimeoutMs: 0 });
  const next = await startGateway({ agents: [sayer("unasked")], stateDir: door.stateDir });
  const kept = async () => ((await (await next.request("/v1/sessions")).json()) as { data: unknown[] }).data;
  expect(await kept()).toHaveLength(1);
  proxy.leadTo(next.port);
  goOn();
  await expect(running.exited).rejects.toThrow(/was started anew during the run\.$/);
  expect(running.notices).toBe("");
  expect(await kept()).toEqual([]);
});

test("what it does not delete is named", async () => {
  const { proxy, running } = await startCut();
  const { port } = await startFakeGateway({});
  proxy.leadTo(port);
  proxy.cut();
  await expect(running.exited).rejects.toThrow(/was started anew during the run\.$/);
  expect(running.notices).toMatch(/^The session agent:main:openai:\S+ stays in the gateway: no\.\n$/);
});

test("whoever listens at the gateway's port afterwards gets no token", async () => {
  const { proxy, running } = await startCut();
  const seen: unknown[] = [];
  const stranger = createServer((request, response) => {
    seen.push([request.url, request.headers.authorization]);
    response.end("<html>");
  });
  const sockets = new WebSocketServer({ server: stranger }).on("connection", (socket) => {
    socket.on("message", (data) => seen.push(String(data)));
    socket.send('{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":1}}');
  });
  await once(stranger.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    sockets.close();
    stranger.close();
  });
  proxy.leadTo((stranger.address() as AddressInfo).port);
  proxy.cut();
  await expect(running.exited).rejects.toThrow(/was lost, and does not come back/);
  expect(seen).toEqual([
    ["/readyz", undefined],
    ["/readyz", undefined],
  ]);
});

test("a gateway that stops during the run ends it, in its own words", async () => {
  const { door, running } = await startCut();
  await door.gateway.close({ drainTimeoutMs: 0 });
  const { code, out, notices } = await running.exited;
  expect([code, out, notices]).toEqual([1, "one \n", expect.stringMatching(/shutting down|stopp/)]);
});

test("a gateway that falls silent is not waited for", async () => {
  const { port, asked } = await startFakeGateway({ tickIntervalMs: 10 });
  const running = await startAgent({ port });
  await expect(running.exited).rejects.toThrow(/was lost, and does not come back/);
  // Once, and after each of the two attempts to come back.
  expect(asked.filter((method) => method === "agent")).toHaveLength(3);
});

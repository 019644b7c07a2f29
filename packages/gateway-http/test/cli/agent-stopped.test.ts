import { expect, onTestFinished, test } from "vitest";
import { onStopSignal } from "../../src/cli/stop-signals.ts";
import { stepper } from "../support/agents.ts";
import { startGateway } from "../support/start-gateway.ts";
import { agent, startAgent } from "./agent-command.ts";
import { startCutProxy } from "./cut-proxy.ts";
import { done, saying, startFakeGateway } from "./fake-gateway.ts";

async function startCut(more: { comeBackMs?: readonly number[]; clearMs?: number; "session-key"?: string }) {
  const { agent: main, say, aborted } = stepper();
  const door = await startGateway({ agents: [main], store: "sqlite" });
  const proxy = await startCutProxy(door.port);
  const running = await startAgent({ port: proxy.port, ...more });
  say("half");
  await running.printed("half");
  return { door, proxy, running, aborted };
}

test.each([
  ["a kept", "trip", ["agent:main:trip"]],
  ["no", undefined, []],
])("a signal while the connection is away ends the run all the same, with %s session", async (_, key, kept) => {
  const { door, proxy, running, aborted } = await startCut({
    comeBackMs: [600_000],
    ...(key && { "session-key": key }),
  });
  proxy.cut();
  running.stop(130);
  expect(await running.exited).toEqual({ code: 130, out: "half\n", notices: "" });
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  const { data } = (await (await door.request("/v1/sessions")).json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toEqual(kept);
});

test("a signal while the gateway is out of reach ends the command, which names the session", async () => {
  const { proxy, running } = await startCut({ clearMs: 20 });
  proxy.hold();
  proxy.cut();
  running.stop(130);
  const { code, notices } = await running.exited;
  expect(code).toBe(130);
  expect(notices).toMatch(
    /^The gateway at \S+ does not say that the run has ended: the run may go on there, in session agent:main:openai:\S+\.\n$/,
  );
});

test("a signal in the last attempt to come back has its own exit code", async () => {
  const { proxy, running } = await startCut({ comeBackMs: [1], clearMs: 20 });
  const reached = proxy.reached();
  proxy.hold();
  proxy.cut();
  await reached;
  running.stop(143);
  expect(await running.exited).toMatchObject({ code: 143 });
});

test("a run that a signal ends over another connection has ended before its session is deleted", async () => {
  const { port, asked } = await startFakeGateway({
    chats: [saying("half")],
    methods: {
      "chat.abort": ({ runId, before, respond, cut }) =>
        before === 0 ? cut() : respond({ ok: true, payload: { ok: true, aborted: true, runIds: [runId] } }),
      "agent.wait": ({ runId, respond }) =>
        respond({ ok: true, payload: { runId, status: "error", error: "aborted", startedAt: 1, endedAt: 2 } }),
      "sessions.delete": ({ respond }) =>
        respond({ ok: true, payload: { ok: true, key: "x", deleted: true, archived: [] } }),
    },
  });
  const running = await startAgent({ port });
  await running.printed("half");
  running.stop(130);
  expect(await running.exited).toEqual({ code: 130, out: "half\n", notices: "" });
  const again = ["connect", "chat.abort", "agent.wait", "sessions.delete"];
  expect(asked).toEqual(["connect", "agent", "chat.abort", ...again]);
});

test("a gateway that does not end the run is not waited for", async () => {
  const { port } = await startFakeGateway({ chats: [saying("half")], methods: { "chat.abort": () => {} } });
  const running = await startAgent({ port, clearMs: 20 });
  await running.printed("half");
  running.stop(130);
  expect(await running.exited).toMatchObject({
    code: 130,
    notices: expect.stringContaining("the run may go on there"),
  });
});

test("a gateway that does not delete the session is not waited for, and what stays is named", async () => {
  for (const [answer, why] of [
    [undefined, "the connection was lost"],
    [{ ok: false, error: { code: "UNAVAILABLE", message: "Too many requests." } }, "Too many requests"],
  ] as const) {
    const { port } = await startFakeGateway({
      methods: {
        agent: ({ runId, respond }) => respond({ ok: true, payload: done(runId, "yes") }),
        "sessions.delete": ({ respond }) => answer && respond(answer),
      },
    });
    const { code, out, notices } = await agent({ port, clearMs: answer ? 60_000 : 20 });
    expect([code, out]).toEqual([0, "yes\n"]);
    expect(notices.replace(/agent:main:openai:\S+/, "X")).toBe(`The session X stays in the gateway: ${why}.\n`);
  }
});

test("Ctrl-Break, which Windows has, stops as Ctrl-C does", async () => {
  const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  onTestFinished(() => {
    for (const [n, signal] of signals.entries()) {
      for (const each of process.listeners(signal)) if (!before[n]?.includes(each)) process.off(signal, each);
    }
  });
  const stopped = onStopSignal();
  process.emit("SIGBREAK");
  expect(await stopped).toBe(149);
});

import { expect, test } from "vitest";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { connectSocket } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { tlsFiles } from "../support/tls.ts";
import { agent, startAgent } from "./agent-command.ts";

const sessionsOf = async (door: Awaited<ReturnType<typeof startGateway>>): Promise<{ id: string }[]> =>
  ((await (await door.request("/v1/sessions")).json()) as { data: { id: string }[] }).data;

test("streams what the gateway's agent says, each piece once", async () => {
  const { agent: main, say, end } = stepper();
  const { port } = await startGateway({ agents: [main] });
  const running = await startAgent({ port });
  say("one ");
  await running.printed("one ");
  say("two ");
  await running.printed("two ");
  say("three");
  end();
  expect(await running.exited).toEqual({ code: 0, out: "one two three\n", notices: "" });
});

test("hears only its own run, whoever else talks in the session", async () => {
  const { agent: main, started, say, end } = stepper();
  const door = await startGateway({
    agents: [main, sayer("other")].map((each, n) => ({ ...each, id: n ? "beta" : "main" })),
  });
  const running = await startAgent({ port: door.port, "session-key": "trip" });
  await started;
  expect((await agent({ port: door.port, agent: "beta" })).out).toBe("other\n");
  say("mine");
  end();
  expect((await running.exited).out).toBe("mine\n");
});

test("--json has the same shape, in the gateway and in the process", async () => {
  const { port } = await startGateway();
  const asked = { port, json: true } as const;
  const [there, here] = await Promise.all([agent(asked), agent({ ...asked, local: true })]);
  const { runId: _, ...a } = JSON.parse(there.out);
  const { runId: __, ...b } = JSON.parse(here.out);
  expect(a).toMatchObject({
    status: "ok",
    summary: "completed",
    result: { payloads: [{ text: expect.stringContaining("hi"), mediaUrl: null }], meta: { agentId: "main" } },
  });
  expect(a.result.payloads).toEqual(b.result.payloads);
  expect(Object.keys(a)).toEqual(Object.keys(b));
  expect(Object.keys(a.result.meta)).toEqual(Object.keys(b.result.meta));
  for (const { result } of [a, b]) expect(result.meta.sessionKey).toMatch(/^agent:main:openai:[0-9a-f-]{36}$/);
});

test("a failed run has its own words and code, either way", async () => {
  const models = { providers: { dead: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "x" } } };
  const settings = { models, agents: { defaults: { model: "dead/model" } } };
  const door = await startGateway({ config: settings });
  const { port } = door;
  for (const local of [false, true]) {
    const { code, out } = await agent({ port, settings, local, json: true });
    const { status, summary, result } = JSON.parse(out);
    expect({ code, status, payloads: result.payloads, error: result.meta.error }, String(local)).toEqual({
      code: 1,
      status: "error",
      payloads: [],
      error: { message: summary, type: "api_error", param: null, code: "provider_unreachable" },
    });
    expect(await agent({ port, settings, local })).toMatchObject({ code: 1, notices: `${summary}\n` });
  }
  expect(await sessionsOf(door)).toEqual([]);
});

test("without a session key nothing is kept", async () => {
  const door = await startGateway({ agents: [sayer("yes")] });
  for (const _ of "ab") expect((await agent({ port: door.port })).out).toBe("yes\n");
  expect(await sessionsOf(door)).toEqual([]);
});

test("a session goes on from one command to the next, and HTTP sees it", async () => {
  const turns: number[] = [];
  const counting = agentOf(async function* ({ messages }) {
    turns.push(messages.length);
    yield "ok";
  });
  const door = await startGateway({ agents: [counting] });
  for (const key of ["trip", "agent:main:trip", "trip"]) await agent({ port: door.port, "session-key": key });
  expect(turns).toEqual([1, 3, 5]);
  expect(await sessionsOf(door)).toMatchObject([{ id: "agent:main:trip", messages: 6 }]);
});

test("agents are named as a request names them", async () => {
  const list = [{ id: "main" }, { id: "beta", aliases: ["helper"] }];
  const { port } = await startGateway({ agents: list.map((each) => ({ ...sayer("yes"), ...each })) });
  for (const name of ["beta", "openclaw/beta", "agent:beta", "Helper"]) {
    const { out } = await agent({ port, agent: name, json: true, settings: { agents: { list } } });
    expect(JSON.parse(out).result.meta.agentId, name).toBe("beta");
  }
  await expect(agent({ port, agent: "nobody" })).rejects.toThrow(/unknown agent id "nobody"/);
  await expect(agent({ port, agent: "beta", "session-key": "agent:main:x" })).rejects.toThrow(/another agent/);
});

test("--model asks the gateway for another model", async () => {
  const { port } = await startGateway();
  const { code, notices } = await agent({ port, model: "nowhere/model" });
  expect([code, notices]).toEqual([1, expect.stringContaining("nowhere/model")]);
});

test("over HTTPS the gateway is known by its certificate", async () => {
  const { replace, ...files } = await tlsFiles();
  const settings = { gateway: { tls: files } };
  const { port, url } = await startGateway({ config: settings, agents: [sayer("safe")] });
  const { code, out, notices } = await agent({ port, settings, verbose: true });
  expect([code, out, notices]).toEqual([0, "safe\n", `Runs in the gateway at ${url}.\n`]);
});

test("with auth none no token is needed", async () => {
  const settings = { gateway: { auth: { mode: "none" as const } } };
  const { port } = await startGateway({ config: settings, agents: [sayer("open")] });
  expect(await agent({ port, settings, gatewayToken: null })).toMatchObject({ out: "open\n", notices: "" });
});

test("--token: as another key, with its rights", async () => {
  const keys = [{ id: "ann", token: "0123456789abcdef-ann", scopes: ["models" as const] }];
  const { port } = await startGateway({ config: { gateway: { auth: { mode: "token", token: TOKEN, keys } } } });
  await expect(agent({ port, token: "0123456789abcdef-ann" })).rejects.toThrow(/missing scope/);
});

test("behind a proxy an operator's own key of the config is taken", async () => {
  const keys = [
    { id: "ann", token: "0123456789abcdef-ann" },
    { id: "ops", token: "0123456789abcdef-ops", scopes: ["admin" as const, "chat" as const, "sessions" as const] },
  ];
  const gateway = {
    trustedProxies: ["10.0.0.1"],
    auth: { mode: "trusted-proxy" as const, trustedProxy: { userHeader: "x-user" }, keys },
  };
  const { port } = await startGateway({ config: { gateway }, agents: [sayer("yes")] });
  expect(await agent({ port, settings: { gateway }, gatewayToken: null })).toEqual({
    code: 0,
    out: "yes\n",
    notices: "",
  });
});

test("a key that may not delete sessions is told what stays", async () => {
  const keys = [{ id: "ann", token: "0123456789abcdef-ann", scopes: ["chat" as const] }];
  const config = { gateway: { auth: { mode: "token" as const, token: TOKEN, keys } } };
  const { port } = await startGateway({ config, agents: [sayer("yes")] });
  const { code, out, notices } = await agent({ port, token: "0123456789abcdef-ann" });
  expect([code, out]).toEqual([0, "yes\n"]);
  expect(notices).toMatch(/^The session agent:main:openai:\S+ stays in the gateway: .*sessions.*\.\n$/);
});

test.each([
  ["a kept", "trip", ["agent:main:trip"]],
  ["no", undefined, []],
])("a signal ends the run in the gateway, with %s session", async (_, key, kept) => {
  const { agent: main, say, aborted } = stepper();
  const door = await startGateway({ agents: [main], store: "sqlite" });
  const running = await startAgent({ port: door.port, ...(key && { "session-key": key }) });
  say("half");
  await running.printed("half");
  running.stop(130);
  expect(await running.exited).toEqual({ code: 130, out: "half\n", notices: "" });
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  expect((await sessionsOf(door)).map(({ id }) => id)).toEqual(kept);
});

test("a signal with --json: what was said, and the exit code of the signal", async () => {
  const { agent: main, say } = stepper();
  const door = await startGateway({ agents: [main] });
  const running = await startAgent({ port: door.port, json: true });
  const watcher = await connectSocket(door.url, { token: TOKEN });
  say("half");
  await watcher.untilEvent("chat", ({ state }) => state === "delta");
  running.stop(143);
  const { code, out } = await running.exited;
  expect([code, JSON.parse(out)]).toMatchObject([
    143,
    { status: "error", result: { payloads: [{ text: "half" }], meta: { error: { code: "run_aborted" } } } },
  ]);
  await watcher.close();
});

test("a run that somebody else aborts has failed", async () => {
  const { agent: main, say } = stepper();
  const door = await startGateway({ agents: [main] });
  const running = await startAgent({ port: door.port, "session-key": "trip" });
  say("half");
  await running.printed("half");
  const watcher = await connectSocket(door.url, { token: TOKEN });
  await watcher.request("chat.abort", { sessionKey: "trip" });
  expect(await running.exited).toEqual({ code: 1, out: "half\n", notices: "The run was aborted.\n" });
  await watcher.close();
});

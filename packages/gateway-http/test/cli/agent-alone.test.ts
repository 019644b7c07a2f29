import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { agentOf, stepper } from "../support/agents.ts";
import { ask } from "../support/chat.ts";
import { startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";
import { pemPath, tlsFiles } from "../support/tls.ts";
import { type AgentRun, agent, startAgent } from "./agent-command.ts";

/** The command, with a model of its own that says "here". */
async function alone({ settings, ...run }: AgentRun) {
  const { baseUrl } = await startProvider(async (exchange) => {
    await exchange.open().say("here");
    exchange.finish();
  });
  const models = { providers: { stand: { baseUrl, apiKey: "sk-0123456789" } } };
  return agent({ ...run, settings: { models, agents: { defaults: { model: "stand/in" } }, ...settings } });
}

/** A gateway that nobody is to run anything in. */
async function startUnasked(options: Parameters<typeof startGateway>[0] = {}) {
  let runs = 0;
  const main = agentOf(async function* () {
    runs++;
    yield "not here";
  });
  const started = await startGateway({ agents: [main], ...options });
  return { ...started, asked: () => runs };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("where no gateway runs it runs in the process, without a word", async () => {
  // Not one that was free a moment ago: somebody else may be given it.
  for (const nobody of [1, 0]) {
    expect(await alone({ port: nobody })).toEqual({ code: 0, out: "here\n", notices: "" });
  }
});

test("--local runs in the process; a session that the gateway holds ends with the command", async () => {
  const { port, stateDir, asked, request } = await startUnasked({ store: "sqlite" });
  const { code, notices } = await alone({ port, stateDir, local: true, "session-key": "trip" });
  expect([code, notices]).toEqual([0, expect.stringMatching(/^\S+ is in use by a running gateway: this session ends/)]);
  expect([asked(), (await (await request("/v1/sessions")).json()) as unknown]).toMatchObject([0, { data: [] }]);
  // A lock is waited for two seconds.
});

test("--local without a session needs nothing that the gateway holds", async () => {
  const { port, asked } = await startUnasked();
  expect(await alone({ port, local: true })).toEqual({ code: 0, out: "here\n", notices: "" });
  expect(asked()).toBe(0);
});

test.each([
  ["something that is no gateway", () => createHttpServer((_, response) => response.end("<html>")), /it is no gateway/],
  ["something that is no web server", () => createServer((socket) => socket.end("SSH-2.0-x\r\n")), /Is it a gateway/],
  [
    "something that opens no WebSocket",
    () => createHttpServer((_, response) => response.end('{"status":"ready"}')),
    /opens no WebSocket/,
  ],
])("%s is told from a gateway", async (_, create, words) => {
  const { code, out, notices } = await alone({ port: await listen(create()) });
  expect([code, out]).toEqual([0, "here\n"]);
  expect(notices).toMatch(/^Runs in this process, not in the gateway at http:\/\/127\.0\.0\.1:\d+: .*\n$/);
  expect(notices).toMatch(words);
});

test("a server that takes the connection and says nothing is not waited for", async () => {
  const port = await listen(createServer(() => {}).unref());
  const { code, notices } = await alone({ port, connectMs: 100 });
  expect([code, notices]).toEqual([0, expect.stringContaining("does not answer in time")]);
});

test("what is no gateway gets no token", async () => {
  const seen: unknown[] = [];
  const page = createHttpServer((request, response) => {
    seen.push([request.url, request.headers.authorization]);
    response.end("<html>");
  });
  await alone({ port: await listen(page) });
  expect(seen).toEqual([["/readyz", undefined]]);
});

test("over HTTPS who is not known by the certificate is sent nothing", async () => {
  const { replace, ...files } = await tlsFiles();
  const seen: unknown[] = [];
  const [cert, key] = await Promise.all([readFile(files.certPath), readFile(files.keyPath)]);
  const impostor = createHttpsServer({ cert, key }, (request, response) => {
    seen.push([request.url, request.headers.authorization]);
    response.end('{"status":"ready"}');
  }).on("upgrade", (request) => seen.push(request.url));
  const settings = { gateway: { tls: { ...files, certPath: pemPath("renewed", "crt") } } };
  const { code, notices } = await alone({ port: await listen(impostor), settings });
  expect([code, notices]).toEqual([0, expect.stringContaining("another certificate")]);
  expect(seen).toEqual([["/readyz", undefined]]);
});

test("a gateway that does not know the token is not asked to run", async () => {
  const { port, asked } = await startUnasked();
  const wrong = await alone({ port, gatewayToken: "wrong-token-0123456789" });
  expect([wrong.code, wrong.notices]).toEqual([0, expect.stringMatching(/gateway token mismatch \(Wrong token/)]);
  const none = await alone({ port, gatewayToken: null });
  expect([none.code, none.notices]).toEqual([0, expect.stringContaining("There is no token for it here: --token")]);
  expect(asked()).toBe(0);
});

test("a gateway behind a proxy has no token to show", async () => {
  const gateway = {
    trustedProxies: ["10.0.0.1"],
    auth: { mode: "trusted-proxy" as const, trustedProxy: { userHeader: "x-user" } },
  };
  const { port, asked } = await startUnasked({ config: { gateway } });
  const { code, notices } = await alone({ port, settings: { gateway } });
  expect([code, notices, asked()]).toEqual([0, expect.stringContaining("There is no token"), 0]);
});

test.each([
  ["admin alone", ["admin"]],
  ["admin and chat", ["admin", "chat"]],
  ["all but admin, so of somebody else,", ["chat", "sessions", "models"]],
] as const)("a key of the config with %s is not taken to run a turn", async (_, scopes) => {
  const keys = [{ id: "ops", token: "0123456789abcdef-ops", scopes: [...scopes] }];
  const gateway = {
    trustedProxies: ["10.0.0.1"],
    auth: { mode: "trusted-proxy" as const, trustedProxy: { userHeader: "x-user" }, keys },
  };
  const { port, asked } = await startUnasked({ config: { gateway } });
  const { code, out, notices } = await alone({ port, settings: { gateway }, gatewayToken: null });
  expect([code, out, notices, asked()]).toEqual([0, "here\n", expect.stringContaining("There is no token"), 0]);
});

test("a gateway that shuts down is not asked to run", async () => {
  const { agent: main, started, say, end } = stepper();
  const door = await startGateway({ agents: [main] });
  const answer = ask(door);
  await started;
  const closed = door.gateway.close();
  const { code, notices } = await alone({ port: door.port });
  expect([code, notices]).toEqual([0, expect.stringContaining("It is shutting down.")]);
  say("a");
  end();
  await Promise.all([answer, closed]);
});

test("a signal while it looks for the gateway ends the command", async () => {
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const port = await listen(createServer(() => resolve()).unref());
  const running = await startAgent({ port });
  await connected;
  running.stop(130);
  expect(await running.exited).toEqual({ code: 130, out: "", notices: "" });
});

test("a signal ends a run in the process", async () => {
  const { baseUrl, next } = await startProvider();
  const models = { providers: { stand: { baseUrl, apiKey: "sk-0123456789" } } };
  const settings = { models, agents: { defaults: { model: "stand/in" } } };
  const running = await startAgent({ port: 0, settings, json: true });
  const { closed } = await next();
  running.stop(143);
  const { code, out } = await running.exited;
  expect([code, JSON.parse(out)]).toMatchObject([143, { result: { meta: { error: { code: "run_aborted" } } } }]);
  expect(await closed).toEqual({ early: true });
});

test("a session key that is no text is refused before anything is asked", async () => {
  const { port, asked } = await startUnasked();
  await expect(alone({ port, "session-key": "a\ud800" })).rejects.toThrow(/^--session-key .*Unicode/);
  expect(asked()).toBe(0);
});

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gatewayStatusSchema } from "@openclaw/protocol";
import { expect, onTestFinished, test } from "vitest";
import type { Options } from "../../src/cli/options.ts";
import { runStatus } from "../../src/cli/status.ts";
import { readEnvironment } from "../../src/config/env.ts";
import { ConfigError } from "../../src/errors/config-error.ts";
import { sayer, stepper } from "../support/agents.ts";
import { ask } from "../support/chat.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";
import { pemPath, tlsFiles } from "../support/tls.ts";

interface Run {
  port: number;
  options?: Options;
  variables?: Record<string, string>;
  /** Of the config file; `undefined`: there is none. */
  config?: unknown;
  /** The state folder; without it, an empty one. */
  stateDir?: string;
  timeoutMs?: number;
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-status-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `openclaw-gateway status`, as whoever has this environment runs it. */
async function status({ port, options = {}, variables = {}, config, stateDir, timeoutMs = 60_000 }: Run) {
  const folder = stateDir ?? (await emptyFolder());
  const path = join(await emptyFolder(), "openclaw.json");
  if (config !== undefined) await writeFile(path, typeof config === "string" ? config : JSON.stringify(config));
  const env = readEnvironment({
    HOME: folder,
    OPENCLAW_STATE_DIR: folder,
    OPENCLAW_GATEWAY_PORT: String(port),
    ...(config !== undefined && { OPENCLAW_CONFIG_PATH: path }),
    ...variables,
  });
  let text = "";
  const stdout = { write: (more: string) => (text += more) };
  const code = await runStatus({ options, env, stdout, timeoutMs });
  const secrets = [TOKEN, options.token, options.password].filter((secret) => secret !== undefined);
  for (const secret of secrets) expect(text).not.toContain(secret);
  return { code, text };
}

const withToken = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
const start = (options: StartOptions = {}) => startGateway({ agents: [sayer("a")], ...options });

test("a gateway that is ready: a summary, or JSON, and 0", async () => {
  const { port, url } = await start();
  const { code, text } = await status({ port, variables: withToken });
  expect(code).toBe(0);
  expect(text).toMatch(new RegExp(`^ready at ${url} \\(version \\S+, process ${process.pid}, up \\d+ s\\)\n`));
  expect(text).toMatch(/^ {2}chat {5}on\n {2}agents {3}main \(default\)\n {2}runs {5}0 active, 0 queued/m);
  expect(text).toMatch(/^ {2}streams {2}0 open\n {2}sockets {2}0 open$/m);
  const json = JSON.parse((await status({ port, variables: withToken, options: { json: true } })).text);
  expect(json).toMatchObject({ url, state: "ready" });
  expect(gatewayStatusSchema.parse(json.status).pid).toBe(process.pid);
});

test("the credential comes from where run takes it: flag, config, environment, the token's file", async () => {
  const { port } = await start();
  for (const run of [
    { options: { token: TOKEN } },
    { config: { gateway: { port, auth: { token: TOKEN } } } },
    { variables: withToken },
  ]) {
    expect((await status({ port, ...run })).text).toContain("  runs ");
  }
  const made = await start({ config: { gateway: { auth: {} } } });
  expect(await readFile(join(made.stateDir, "gateway-token"), "utf8")).toMatch(/\S/);
  expect((await status({ port: made.port, stateDir: made.stateDir })).text).toContain("  runs ");
  const none = await start({ config: { gateway: { auth: { mode: "none" } } } });
  expect((await status({ port: none.port, options: { auth: "none" } })).text).toContain("  runs ");
});

test("without a credential it tells what anyone may know", async () => {
  const { port } = await start();
  expect(await status({ port })).toMatchObject({ code: 0, text: expect.stringMatching(/^ready at .*\n.*scope admin/) });
  const proxied = {
    gateway: {
      trustedProxies: ["10.0.0.1"],
      auth: { mode: "trusted-proxy" as const, trustedProxy: { userHeader: "x-user" } },
    },
  };
  const behind = await start({ config: proxied });
  expect(await status({ port: behind.port, config: proxied })).toMatchObject({ code: 0 });
  expect((await status({ port: behind.port, options: { auth: "password" } })).text).toMatch(/^ready at /);
});

test("a key with the scope admin is as good as the token, another is refused", async () => {
  const keys = [
    { id: "root", token: "0123456789abcdef-root", scopes: ["admin" as const] },
    { id: "ann", token: "0123456789abcdef-ann" },
  ];
  const { port } = await start({ config: { gateway: { auth: { mode: "token", token: TOKEN, keys } } } });
  const asked = (token: string) => status({ port, options: { token } });
  expect(await asked("0123456789abcdef-root")).toMatchObject({ code: 0, text: expect.stringContaining("  runs ") });
  expect(await asked("0123456789abcdef-ann")).toMatchObject({
    code: 1,
    text: expect.stringMatching(/^refused at .*\nThis key has no scope "admin"\./),
  });
});

test("a wrong token is refused, and not repeated", async () => {
  const { port } = await start();
  const { code, text } = await status({ port, options: { token: "wrong-token-0123" } });
  expect([code, text]).toEqual([1, expect.stringMatching(/^refused at .*\nWrong token\. Give its token/)]);
});

test("one that drains is not ready", async () => {
  const { agent, started, say, end } = stepper();
  const door = await startGateway({ agents: [agent] });
  const answer = ask(door);
  await started;
  const closed = door.gateway.close();
  const { code, text } = await status({ port: door.port, variables: withToken });
  expect([code, text]).toEqual([1, expect.stringMatching(/^draining at /)]);
  say("a");
  end();
  await answer;
  await closed;
  const after = await status({ port: door.port, variables: withToken });
  expect([after.code, after.text]).toEqual([1, expect.stringMatching(/^stopped at .*\n.*openclaw-gateway run\n$/)]);
});

test("one whose endpoint is off is ready, and says that it is off", async () => {
  const { port } = await start({
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } },
  });
  const { code, text } = await status({ port, variables: withToken });
  expect([code, text]).toEqual([0, expect.stringMatching(/^ {2}chat {5}off$/m)]);
});

test("a config that broke after the start makes a gateway no less ready, but does not hide", async () => {
  const { port } = await start();
  const { code, text } = await status({ port, variables: withToken, config: "{ nonsense" });
  expect([code, text]).toEqual([0, expect.stringMatching(/^ready at [\s\S]*cannot be read any more:\n/)]);
  const closed = await start();
  await closed.gateway.close();
  await expect(status({ port: closed.port, config: "{ nonsense" })).rejects.toThrow(ConfigError);
});

test("over HTTPS it is known by its certificate, whatever names that has", async () => {
  const { replace, ...files } = await tlsFiles();
  const config = { gateway: { tls: files } };
  const { port, url } = await start({ config });
  const { code, text } = await status({ port, variables: withToken, config });
  expect([code, text]).toEqual([0, expect.stringMatching(new RegExp(`^ready at ${url} [\\s\\S]* {2}runs `))]);
  const plain = await start();
  expect((await status({ port: plain.port, variables: withToken, config })).text).toMatch(/^foreign at /);
});

test("while its certificate's file changes it is as ready as before, but gets no token", async () => {
  const { replace, ...files } = await tlsFiles();
  const { port, gateway } = await start({ config: { gateway: { tls: files } } });
  const broken = join(await emptyFolder(), "broken.crt");
  await writeFile(broken, "-----BEGIN CERTIFICATE-----\nhalf");
  for (const certPath of [pemPath("renewed", "crt"), "/nonexistent.crt", broken]) {
    const config = { gateway: { tls: { ...files, certPath } } };
    const { code, text } = await status({ port, variables: withToken, config });
    expect([code, text]).toEqual([0, expect.stringMatching(/^ready at .*\n.*another certificate .* no token/)]);
  }
  await gateway.close();
});

test("over HTTPS who is not known by the certificate is not sent the token", async () => {
  const { replace, ...files } = await tlsFiles();
  const seen: unknown[] = [];
  const [cert, key] = await Promise.all([readFile(files.certPath), readFile(files.keyPath)]);
  const impostor = createHttpsServer({ cert, key }, (request, response) => {
    seen.push([request.url, request.headers.authorization]);
    response.end('{"status":"ready"}');
  });
  const config = { gateway: { tls: { ...files, certPath: pemPath("renewed", "crt") } } };
  await status({ port: await listen(impostor), variables: withToken, config });
  expect(seen).toEqual([["/readyz", undefined]]);
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("something else at the port is told from a gateway, and gets no token", async () => {
  const seen: unknown[] = [];
  const page = createHttpServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("<html>");
  });
  const banner = createServer((socket) => socket.end("SSH-2.0-x\r\n"));
  const rude = createServer((socket) => socket.destroy());
  for (const server of [page, banner, rude]) {
    const { code, text } = await status({ port: await listen(server), variables: withToken });
    expect([code, text]).toEqual([1, expect.stringMatching(/^foreign at /)]);
  }
  expect(seen).toEqual([undefined]);
});

test("what answers no whole HTTP is said to", async () => {
  const answers = ["HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"];
  answers.push("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{", "");
  for (const answer of answers) {
    const server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(answer)));
    const { code, text } = await status({ port: await listen(server), variables: withToken });
    expect([code, text]).toEqual([1, expect.stringMatching(/^foreign at .*\n.*Is it a gateway\?\n$/)]);
  }
  // Over TLS it is gone before there is a connection.
  const { replace, ...files } = await tlsFiles();
  const config = { gateway: { tls: files } };
  const closing = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end()));
  const { code, text } = await status({ port: await listen(closing), variables: withToken, config });
  expect([code, text]).toEqual([1, expect.stringMatching(/^foreign at .*Is it a gateway\?\n$/s)]);
});

test("what others say cannot move the terminal's cursor", async () => {
  const door = await start();
  const real = JSON.parse(await (await door.request("/status")).text());
  const agents = [{ id: "a\u001b[2J\r\nready\u009b\u202eb", model: null, default: true }];
  const server = createHttpServer((request, response) => {
    response.end(JSON.stringify(request.url === "/readyz" ? { status: "ready" } : { ...real, agents }));
  });
  const port = await listen(server);
  expect((await status({ port, variables: withToken })).text).toContain("  agents   a[2Jreadyb (default)\n");
  const refusing = createHttpServer((request, response) => {
    if (request.url === "/readyz") return response.end('{"status":"ready"}');
    return response.writeHead(401).end(JSON.stringify({ error: { message: "no\u001b[31m\nway" } }));
  });
  const { text } = await status({ port: await listen(refusing), variables: withToken });
  expect(text).toMatch(/^refused at .*\nno\[31mway Give/);
});

test("a server that takes the connection and says nothing is not waited for", async () => {
  const port = await listen(createServer(() => {}).unref());
  const { code, text } = await status({ port, variables: withToken, timeoutMs: 100 });
  expect([code, text]).toEqual([1, expect.stringMatching(/^silent at /)]);
});

test("port 0 is no port to ask", async () => {
  const { code, text } = await status({ port: 0, options: { json: true } });
  expect([code, JSON.parse(text).state]).toEqual([1, "unknown"]);
});

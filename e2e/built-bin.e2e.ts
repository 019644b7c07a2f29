import { readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { configFor, startProvider } from "./support/provider.ts";
import { bash, makeStateDir, runBin, SECRETS, serve, start, textOf } from "./support/run-bin.ts";

const CHAT = "/v1/chat/completions";
const HI = { model: "openclaw", messages: [{ role: "user", content: "hi" }] };
const TOKEN = ["--token", SECRETS.token];

const post = (url: string, body: object, token: string = SECRETS.token) =>
  fetch(url + CHAT, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });

/** A gateway in front of a provider that the test writes by hand. */
async function serveProvider(...args: string[]) {
  const provider = await startProvider();
  const stateDir = await makeStateDir();
  await writeFile(join(stateDir, "openclaw.json"), configFor(provider.baseUrl));
  return { provider, ...(await serve(args, { stateDir })) };
}

async function takePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

test("the curl line of the banner works when it is pasted, wherever the token lies", async () => {
  const stateDir = join(await makeStateDir(), "it's a $tate folder");
  await mkdir(stateDir);
  const { output } = await serve(["--enable-chat"], { stateDir });
  const line = /^ {2}(curl .*)$/m.exec(output().stdout)?.[1] ?? "no curl line";
  const { code, stdout } = await bash(line).exited;
  expect(code).toBe(0);
  expect(textOf(stdout)).toContain("You said “hi”");
  expect(stdout.endsWith("data: [DONE]\n\n")).toBe(true);
  expect(statSync(join(stateDir, "gateway-token")).mode & 0o777).toBe(0o600);
});

test("the first command of the seed answers as printed, with only port and token replaced", async () => {
  const { port } = await serve(["--enable-chat", ...TOKEN]);
  const { code, stdout } = await bash(
    `curl -sS http://127.0.0.1:18789/v1/chat/completions \\
-H 'Authorization: Bearer YOUR_TOKEN' \\
-H 'Content-Type: application/json' \\
-H 'x-openclaw-agent-id: main' \\
-d '{
"model": "openclaw",
"messages": [{"role":"user","content":"hi"}]
}'`
      .replace("18789", String(port))
      .replace("YOUR_TOKEN", SECRETS.token),
  ).exited;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    object: "chat.completion",
    model: "openclaw",
    choices: [{ message: { role: "assistant", content: expect.stringContaining("hi") }, finish_reason: "stop" }],
  });
});

test("the second command of the seed streams as printed, with only port and token replaced", async () => {
  const { port } = await serve(["--enable-chat", ...TOKEN]);
  const { code, stdout } = await bash(
    `curl -N http://127.0.0.1:18789/v1/chat/completions \\
-H 'Authorization: Bearer YOUR_TOKEN' \\
-H 'Content-Type: application/json' \\
-H 'x-openclaw-agent-id: main' \\
-d '{
"model": "openclaw",
"stream": true,
"messages": [{"role":"user","content":"hi"}]
}'`
      .replace("18789", String(port))
      .replace("YOUR_TOKEN", SECRETS.token),
  ).exited;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^(data: .+\n\n)+data: \[DONE\]\n\n$/);
  expect(textOf(stdout)).toContain("You said “hi”");
});

test("without --enable-chat the endpoint is off, and the banner says how to turn it on", async () => {
  const { url, output } = await serve(TOKEN);
  const response = await post(url, HI);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "endpoint_disabled" } });
  expect(output().stdout).toMatch(/off.*--enable-chat.*openclaw-gateway init/s);
  expect(output().stdout).not.toContain("curl");
});

test("a wrong token is 401, an unknown agent 404", async () => {
  const { url } = await serve(["--enable-chat", ...TOKEN]);
  expect((await post(url, HI, "wrong")).status).toBe(401);
  const response = await post(url, { ...HI, model: "openclaw:nobody" });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "model_not_found", param: "model" } });
});

test("OPENCLAW_GATEWAY_PORT chooses the port", async () => {
  const stateDir = await makeStateDir();
  const port = await takePort();
  const env = { OPENCLAW_GATEWAY_PORT: String(port) };
  const { code, stderr } = await runBin(stateDir, ["run", ...TOKEN], { env });
  // It is taken, which is how we know that it was asked for.
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`Port ${port} is in use`) });
  await serve(TOKEN, { stateDir, env });
});

test("a port in use ends with 1 and one clear line", async () => {
  const { port } = await serve(TOKEN);
  const { code, stdout, stderr } = await runBin(await makeStateDir(), ["run", "--port", String(port)]);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(new RegExp(`^Port ${port} is in use.*--port.*\\n$`));
});

test("a config that cannot work ends with 78 and says what and where", async () => {
  const stateDir = await makeStateDir();
  const file = join(stateDir, "openclaw.json");
  const configs: [string, RegExp][] = [
    ["{ gateway: { prot: 1 } }", /gateway\.prot.*port/s],
    ["{ gateway: ", /openclaw\.json/],
    ['{ gateway: { port: "x" } }', /gateway\.port/],
    ['{ agents: { list: [{ id: "main", model: "openai/gpt-4o" }] } }', /OPENAI_API_KEY/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the config's own syntax
    ['{ gateway: { auth: { token: "${NOT_SET}" } } }', /gateway\.auth\.token.*NOT_SET/s],
  ];
  for (const [text, said] of configs) {
    await writeFile(file, text);
    const { code, stdout, stderr } = await runBin(stateDir, ["run", "--port", "0"]);
    expect({ code, stdout }, text).toEqual({ code: 78, stdout: "" });
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/^ +at /m);
  }
  expect((await runBin(await makeStateDir(), ["run", "--config", "/nowhere.json"])).code).toBe(78);
});

test("what would be open to other machines without auth ends with 78", async () => {
  for (const args of [
    ["--bind", "lan"],
    ["--bind", "0.0.0.0"],
    ["--bind", "lan", "--auth", "none"],
  ]) {
    const { code, stderr } = await runBin(await makeStateDir(), ["run", "--port", "0", ...args]);
    expect(code, args.join(" ")).toBe(78);
    expect(stderr).toContain("gateway.auth.token");
  }
});

test("a wrong command line ends with 2 and points to --help", async () => {
  const stateDir = await makeStateDir();
  const wrong = [["--nope"], ["frobnicate"], ["--port", "x"], ["--port", "70000"], ["--auth", "magic"], ["agent"]];
  for (const args of [...wrong, ["run", "--drain-timeout", "soon"], ["run", "--drain-timeout", "30d"], ["--port"]]) {
    const { code, stdout, stderr } = await runBin(stateDir, args);
    expect({ code, stdout }, args.join(" ")).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/--help\.\n$/);
  }
});

test("--help and --version", async () => {
  const stateDir = await makeStateDir();
  const help = await runBin(stateDir, ["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  for (const word of ["run", "agent", "init", "config check", "--enable-chat", "78"])
    expect(help.stdout).toContain(word);
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, "../packages/gateway-http/package.json"), "utf8"),
  );
  expect(await runBin(stateDir, ["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test("agent runs one turn, to the terminal or as JSON", async () => {
  const stateDir = await makeStateDir();
  const plain = await runBin(stateDir, ["agent", "-m", "hi"]);
  expect(plain.code).toBe(0);
  expect(plain.stdout).toMatch(/You said “hi”.*\n$/s);
  const { code, stdout } = await runBin(stateDir, ["agent", "-m", "hi", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    runId: expect.stringMatching(/^chatcmpl-/),
    status: "ok",
    summary: "completed",
    result: { payloads: [{ text: expect.stringContaining("hi"), mediaUrl: null }], meta: { agentId: "main" } },
  });
});

test("agent goes on with a session from one command to the next, in a running gateway too; beside it, it says that it cannot", async () => {
  const stateDir = await makeStateDir();
  const say = (text: string, ...more: string[]) =>
    runBin(stateDir, ["agent", "-m", text, "--session-key", "trip", "--json", ...more]);
  for (const text of ["one", "two"]) expect((await say(text)).code).toBe(0);
  const database = new DatabaseSync(join(stateDir, "sessions.sqlite"), { readOnly: true });
  const kept = database.prepare("SELECT message FROM entry ORDER BY seq").all();
  const countEntries = () => database.prepare("SELECT message FROM entry").all().length;
  expect(kept.map(({ message }) => JSON.parse(String(message)).content)).toEqual([
    "one",
    expect.stringContaining("one"),
    "two",
    expect.stringContaining("two"),
  ]);
  const { port } = await serve([], { stateDir });
  const beside = await say("three", "--local");
  expect([beside.code, beside.stderr]).toEqual([0, expect.stringContaining("this session ends with the command")]);
  expect((await runBin(stateDir, ["agent", "-m", "four", "--local"])).stderr).toBe("");
  expect(countEntries()).toBe(4);
  const there = await say("five", "--port", String(port));
  expect([there.code, there.stderr]).toEqual([0, ""]);
  expect(JSON.parse(there.stdout).result.payloads[0].text).toContain("five");
  expect(countEntries()).toBe(6);
  expect((await runBin(stateDir, ["agent", "-m", "six", "--port", String(port)])).stdout).toContain("six");
  expect(countEntries()).toBe(6);
  database.close();
});

test("agent fails with 1 when the run does, and says why", async () => {
  const stateDir = await makeStateDir();
  expect(await runBin(stateDir, ["agent", "-m", "hi", "--agent", "nobody"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("nobody"),
  });
  const port = await takePort();
  const models = {
    providers: { dead: { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: SECRETS.providerKey, timeoutSeconds: 1 } },
  };
  await writeFile(join(stateDir, "openclaw.json"), JSON.stringify({ models }));
  const { code, stdout } = await runBin(stateDir, ["agent", "-m", "hi", "--json", "--model", "dead/model"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ status: "error", result: { payloads: [] } });
});

test("init writes a config that run takes, once", async () => {
  const stateDir = await makeStateDir();
  const config = join(stateDir, "sub", "my.json5");
  const first = await runBin(stateDir, ["init", "--config", config]);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain(config);
  expect(statSync(config).mode & 0o777).toBe(0o600);
  expect((await runBin(stateDir, ["init", "--config", config])).code).toBe(1);
  expect((await runBin(stateDir, ["config", "check", "--config", config])).code).toBe(0);
  const { url } = await serve(["--config", config], { stateDir });
  const response = await post(url, HI, readFileSync(join(stateDir, "gateway-token"), "utf8").trim());
  expect(response.status).toBe(200);
});

test("config check says what would be served, or what is wrong", async () => {
  const stateDir = await makeStateDir();
  const file = join(stateDir, "openclaw.json");
  await writeFile(file, configFor("http://127.0.0.1:1/v1"));
  const good = await runBin(stateDir, ["config", "check"]);
  expect(good.code).toBe(0);
  expect(good.stdout).toMatch(/main \(stand\/in.*is on.*token from the config/s);
  await writeFile(file, "{ gatewey: {} }");
  const bad = await runBin(stateDir, ["config", "check"]);
  expect({ code: bad.code, said: bad.stdout + bad.stderr }).toEqual({
    code: 78,
    said: expect.stringContaining("gatewey"),
  });
});

test("tokens arrive one by one through curl -N, and killing curl closes the provider's connection", async () => {
  const { provider, url } = await serveProvider();
  const curl = start("curl", [
    ...["-sN", url + CHAT, "-H", `Authorization: Bearer ${SECRETS.token}`, "-H", "Content-Type: application/json"],
    ...["-d", JSON.stringify({ ...HI, stream: true })],
  ]);
  const call = await provider.call();
  expect(call.authorization).toBe(`Bearer ${SECRETS.providerKey}`);
  // Each is sent only after the one before was read at the other end: nothing is held back on the way.
  for (const token of ["one", "two", "three"]) {
    call.say(token);
    await curl.printed(new RegExp(`"content":"${token}"`));
  }
  curl.child.kill("SIGKILL");
  await call.closed;
});

test.for(["SIGTERM", "SIGINT"] as const)(
  "%s lets a running stream finish, takes no new run and ends with 0",
  async (signal) => {
    const { provider, url, child, printed, exited } = await serveProvider();
    const asked = post(url, { ...HI, stream: true });
    const call = await provider.call();
    call.say("before");
    const response = await asked;
    child.kill(signal);
    await printed(/Stopping: 1 /);
    expect((await post(url, HI)).status).toBe(503);
    call.say(" after");
    call.finish();
    const stream = await response.text();
    expect(textOf(stream)).toBe("before after");
    expect(stream.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(await exited).toMatchObject({ code: 0 });
  },
);

test("a run that outlasts the drain ends with an error frame, and the process with 0", async () => {
  const { provider, url, child, exited } = await serveProvider("--drain-timeout", "1s");
  const asked = post(url, { ...HI, stream: true });
  (await provider.call()).say("before");
  const response = await asked;
  child.kill("SIGTERM");
  const stream = await response.text();
  expect(stream).toMatch(/data: \{"error":\{.*"code":"gateway_draining".*\}\n\ndata: \[DONE\]\n\n$/);
  expect(await exited).toMatchObject({ code: 0 });
});

test("a second signal ends at once, and the client sees a cut, not an end", async () => {
  const { provider, url, child, printed, exited } = await serveProvider();
  const asked = post(url, { ...HI, stream: true });
  (await provider.call()).say("before");
  const response = await asked;
  child.kill("SIGTERM");
  await printed(/Stopping: 1 /);
  child.kill("SIGTERM");
  await expect(response.text()).rejects.toThrow();
  expect((await exited).code).toBe(143);
});

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { launchChromium } from "../apps/playground/e2e/launch-chromium.ts";
import { startPlayground } from "../apps/playground/e2e/start-playground.ts";
import { openPlayground, sayTo } from "../apps/playground/e2e/visit.ts";
import { listen } from "./support/listen.ts";
import { serversAreUp } from "./support/mcp-servers.ts";
import { makeStateDir, type Running, SECRETS, start } from "./support/run-bin.ts";
import { startToolProvider } from "./support/tool-provider.ts";

const BIN = join(import.meta.dirname, "../packages/gateway-http/dist/cli.js");
/** What the gateway's own tests depend on. */
const ofGateway = createRequire(join(import.meta.dirname, "../packages/gateway-http/package.json"));
const FOUND = "I found: The moon is made of cheese. | The sum of 2 and 3 is 5.";

/** A folder with a note in it, and a config whose agent may use two servers of the registry: files and sums. */
async function setUp() {
  const folder = await makeStateDir("openclaw-notes-");
  await writeFile(join(folder, "note.txt"), "The moon is made of cheese.");
  const baseUrl = await startToolProvider([
    ["files__read_text_file", { path: join(folder, "note.txt") }],
    ["everything__get-sum", { a: 2, b: 3 }],
  ]);
  const server = (name: string, ...args: string[]) => ({
    command: process.execPath,
    args: [binOf(`@modelcontextprotocol/server-${name}`), ...args],
  });
  const config = {
    gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
    models: { providers: { stand: { baseUrl, apiKey: SECRETS.providerKey } } },
    agents: {
      list: [{ id: "main", model: "stand/in", exposeReasoning: "reasoning_content", tools: { deny: ["*env"] } }],
    },
    mcp: { servers: { files: server("filesystem", folder), everything: server("everything", "stdio") } },
  };
  return { folder, config };
}

function binOf(name: string): string {
  const manifest = ofGateway.resolve(`${name}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: Record<string, string> };
  return join(dirname(manifest), Object.values(bin)[0] as string);
}

/** The ids of all processes that have this text in their command lines. */
function processesWith(text: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(text) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** The built command line with a config, in a folder of its own. */
async function startWith(config: object, args: string[]): Promise<Running> {
  const stateDir = await makeStateDir();
  await writeFile(join(stateDir, "openclaw.json"), JSON.stringify(config));
  const env = { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, OPENCLAW_GATEWAY_TOKEN: SECRETS.token };
  return start(process.execPath, [BIN, ...args], { env });
}

/**
 * A config with a server that ends neither with its input nor with SIGTERM, and a provider that never answers.
 * @returns also a text of the server's command line, and the names of the tools in the provider's requests
 */
async function setUpStubborn() {
  const marker = await makeStateDir("openclaw-stubborn-");
  const asked: string[] = [];
  const provider = createServer(async (request) => {
    const { tools = [] } = (await json(request)) as { tools?: { function: { name: string } }[] };
    asked.push(...tools.map((tool) => tool.function.name));
  });
  const script = join(import.meta.dirname, "../packages/gateway-http/test/tools/servers/stubborn.mjs");
  const config = {
    gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
    models: { providers: { stand: { baseUrl: await listen(provider), apiKey: SECRETS.providerKey } } },
    agents: { list: [{ id: "main", model: "stand/in" }] },
    mcp: { servers: { stubborn: { command: process.execPath, args: [script, marker] } } },
  };
  onTestFinished(() => {
    for (const pid of processesWith(marker)) process.kill(pid, "SIGKILL");
  });
  return { marker, asked, config };
}

/** Until the model was told of the server's tool: then the server is up, and deaf to SIGTERM. */
const toldOfTool = (asked: readonly string[]) =>
  expect.poll(() => asked, { timeout: 40_000 }).toContain("stubborn__pids");

test("an agent with two servers answers through the openai package and curl, and leaves none behind", async () => {
  const { folder, config } = await setUp();
  const gateway = await startWith(config, ["run", "--port", "0"]);
  const [, url = ""] = await gateway.printed(/on (http:\S+)/);
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(200);

  const { OpenAI } = ofGateway("openai");
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: SECRETS.token, maxRetries: 0 });
  const messages = [{ role: "user", content: "What is in the note, and 2 + 3?" }];
  const askWhole = async () => {
    const whole = await client.chat.completions.create({ model: "openclaw", messages });
    return whole.choices[0]?.message.content;
  };
  // Readiness does not wait longer than 5 s for a server.
  await expect.poll(askWhole, { timeout: 40_000 }).toBe(FOUND);
  expect(processesWith(folder)).toHaveLength(1);
  const headers = { "x-openclaw-events": "1" };
  const stream = await client.chat.completions.create({ model: "openclaw", messages, stream: true }, { headers });
  const chunks: { choices: { delta: { content?: string } }[]; openclaw?: { type: string } }[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(FOUND);
  expect(JSON.stringify(chunks)).toContain('"reasoning_content":"I shall ask both."');
  const activity = chunks.flatMap(({ openclaw }) => (openclaw?.type.startsWith("tool-") ? openclaw : []));
  expect(activity).toHaveLength(4);
  expect(activity.slice(0, 2)).toEqual([
    { type: "tool-start", id: "call_0", name: "files__read_text_file" },
    { type: "tool-start", id: "call_1", name: "everything__get-sum" },
  ]);
  expect(activity.slice(2)).toContainEqual({ type: "tool-end", id: "call_0", ok: true });

  const body = JSON.stringify({ model: "openclaw", stream: true, messages });
  const { stdout } = await promisify(execFile)("curl", [
    ...["-sSN", `${url}/v1/chat/completions`, "-d", body, "-H", "x-openclaw-events: 1"],
    ...["-H", `authorization: Bearer ${SECRETS.token}`, "-H", "content-type: application/json"],
  ]);
  expect(stdout).toContain('"openclaw":{"type":"tool-start","id":"call_1","name":"everything__get-sum"}');
  expect(stdout).toContain("The moon is made of cheese.");
  expect(stdout.endsWith("data: [DONE]\n\n")).toBe(true);

  gateway.child.kill("SIGTERM");
  expect((await gateway.exited).code).toBe(0);
  expect(processesWith(folder)).toEqual([]);
});

test("a second signal ends a stubborn server with the gateway, at once", async () => {
  const { marker, asked, config } = await setUpStubborn();
  const gateway = await startWith(config, ["run", "--port", "0"]);
  const [, url = ""] = await gateway.printed(/on (http:\S+)/);
  void askUntilCut(url);
  await toldOfTool(asked);
  gateway.child.kill("SIGINT");
  await gateway.printed(/Stopping/);
  gateway.child.kill("SIGTERM");
  expect((await gateway.exited).code).toBe(143);
  await expect.poll(() => processesWith(marker), { timeout: 10_000 }).toEqual([]);
});

test("a terminal that hangs up ends the gateway and its servers as SIGTERM does", async () => {
  const { marker, asked, config } = await setUpStubborn();
  const gateway = await startWith(config, ["run", "--port", "0", "--drain-timeout", "1s"]);
  const [, url = ""] = await gateway.printed(/on (http:\S+)/);
  void askUntilCut(url);
  await toldOfTool(asked);
  gateway.child.kill("SIGHUP");
  expect((await gateway.exited).code).toBe(0);
  expect(processesWith(marker)).toEqual([]);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s stops a run of the command line, and its servers", async (signal, code) => {
  const { marker, asked, config } = await setUpStubborn();
  const agent = await startWith(config, ["agent", "-m", "hi"]);
  await toldOfTool(asked);
  agent.child.kill(signal);
  expect(await agent.exited).toMatchObject({ code, signal: null });
  expect(processesWith(marker)).toEqual([]);
});

test("a second signal ends a run of the command line at once, and its servers", async () => {
  const { marker, asked, config } = await setUpStubborn();
  const agent = await startWith(config, ["agent", "-m", "hi"]);
  await toldOfTool(asked);
  agent.child.kill("SIGINT");
  // The answer's last line is printed before the servers are waited for.
  await agent.printed(/\n$/);
  expect(processesWith(marker)).toHaveLength(1);
  agent.child.kill("SIGINT");
  expect((await agent.exited).code).toBe(130);
  await expect.poll(() => processesWith(marker), { timeout: 10_000 }).toEqual([]);
});

/** Asks again and again, for a model that knows its tools, until the gateway ends. */
async function askUntilCut(url: string): Promise<void> {
  const headers = { authorization: `Bearer ${SECRETS.token}`, "content-type": "application/json" };
  const body = JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: "hi" }] });
  for (;;) {
    try {
      const signal = AbortSignal.timeout(5000);
      await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body, signal });
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") return;
    }
  }
}

test("the page shows what such an agent does", async () => {
  const { config } = await setUp();
  const playground = await startPlayground(config);
  onTestFinished(async () => void (await playground.stop()));
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await openPlayground(page, playground);
  await serversAreUp(playground);
  await sayTo(page, "What is in the note, and 2 + 3?");
  const answer = page.locator("article[data-status=done]");
  await answer.getByText(FOUND).waitFor();
  for (const name of ["files__read_text_file", "everything__get-sum"]) {
    await answer.locator(".tool[data-state=ok]", { hasText: name }).waitFor();
  }
  await answer.locator(".thought").waitFor();
});

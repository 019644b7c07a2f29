import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { launchChromium } from "../apps/playground/e2e/launch-chromium.ts";
import { startPlayground } from "../apps/playground/e2e/start-playground.ts";
import { openPlayground, sayTo } from "../apps/playground/e2e/visit.ts";
import { makeStateDir, SECRETS, start } from "./support/run-bin.ts";
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

/** The command lines of all processes that have this text in them. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return line.includes(text) ? [line] : [];
    } catch {
      return [];
    }
  });
}

test("an agent with two servers answers through the openai package and curl, and leaves none behind", async () => {
  const { folder, config } = await setUp();
  const stateDir = await makeStateDir();
  await writeFile(join(stateDir, "openclaw.json"), JSON.stringify(config));
  const env = { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, OPENCLAW_GATEWAY_TOKEN: SECRETS.token };
  const gateway = start(process.execPath, [BIN, "run", "--port", "0"], { env });
  const [, url = ""] = await gateway.printed(/on (http:\S+)/);
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
  expect(processesWith(folder)).toHaveLength(1);

  const { OpenAI } = ofGateway("openai");
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: SECRETS.token, maxRetries: 0 });
  const messages = [{ role: "user", content: "What is in the note, and 2 + 3?" }];
  const whole = await client.chat.completions.create({ model: "openclaw", messages });
  expect(whole.choices[0]?.message.content).toBe(FOUND);
  const headers = { "x-openclaw-events": "1" };
  const stream = await client.chat.completions.create({ model: "openclaw", messages, stream: true }, { headers });
  const chunks: { choices: { delta: { content?: string } }[]; openclaw?: object }[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(FOUND);
  expect(JSON.stringify(chunks)).toContain('"reasoning_content":"I shall ask both."');
  const activity = chunks.flatMap(({ openclaw }) => openclaw ?? []);
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

test("a second signal ends the servers with the gateway", async () => {
  const { folder, config } = await setUp();
  const stateDir = await makeStateDir();
  await writeFile(join(stateDir, "openclaw.json"), JSON.stringify(config));
  const env = { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, OPENCLAW_GATEWAY_TOKEN: SECRETS.token };
  const gateway = start(process.execPath, [BIN, "run", "--port", "0"], { env });
  await gateway.printed(/on (http:\S+)/);
  await expect.poll(() => processesWith(folder).length, { timeout: 20_000 }).toBe(1);
  gateway.child.kill("SIGINT");
  gateway.child.kill("SIGTERM");
  await gateway.exited;
  await expect.poll(() => processesWith(folder)).toEqual([]);
});

test("the page shows what such an agent does", async () => {
  const { config } = await setUp();
  const playground = await startPlayground(config);
  onTestFinished(async () => void (await playground.stop()));
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await openPlayground(page, playground);
  await expect.poll(async () => (await fetch(`${playground.url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
  await sayTo(page, "What is in the note, and 2 + 3?");
  const answer = page.locator("article[data-status=done]");
  await answer.getByText(FOUND).waitFor();
  for (const name of ["files__read_text_file", "everything__get-sum"]) {
    await answer.locator(".tool[data-state=ok]", { hasText: name }).waitFor();
  }
  await answer.locator(".thought").waitFor();
});

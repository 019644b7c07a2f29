import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { expect, onTestFinished, test } from "vitest";
import { chunk, type Script, startProvider } from "./support/stand-in-provider.ts";

const PACKAGE = join(import.meta.dirname, "..");
const TIMEOUT_MS = 30_000;

/** Starts an example as its readers do, but from the sources and on any free port, and gives a client of it. */
async function startExample(file: string, options: { env?: object; config?: object; args?: string[] } = {}) {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-examples-"));
  await writeFile(join(stateDir, "openclaw.json"), JSON.stringify(options.config ?? {}));
  const args = ["--conditions=@openclaw/source", join("examples", file), ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    cwd: PACKAGE,
    env: { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, OPENCLAW_GATEWAY_PORT: "0", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await gone;
    await rm(stateDir, { recursive: true, force: true });
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const printed = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", resolve);
    void gone.then(() => reject(new Error(`${file} ended: ${stderr}`)));
  });
  const url = /^http:\/\/127\.0\.0\.1:\d+$/m.exec(printed)?.[0];
  const apiKey = (await readFile(join(stateDir, "gateway-token"), "utf8")).trim();
  return { printed, client: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }) };
}

/** Calls a tool, and when it has read the result says it. */
const callThenSay =
  (name: string, args: object): Script =>
  async (exchange) => {
    const last = exchange.json.messages.at(-1);
    exchange.open();
    if (last?.role === "tool") {
      await exchange.say(`It said: ${last.content}`);
      return exchange.finish();
    }
    const call = { index: 0, id: "call_1", type: "function", function: { name, arguments: JSON.stringify(args) } };
    await exchange.event(chunk({ role: "assistant", tool_calls: [call] }));
    exchange.finish("tool_calls");
  };

/** One question, and what came of it: the text, and what callers see who ask for events. */
async function ask(client: OpenAI, model: string, content: string) {
  const stream = await client.chat.completions.create(
    { model, stream: true, messages: [{ role: "user", content }] },
    { headers: { "x-openclaw-events": "1" } },
  );
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const piece of stream) chunks.push(piece);
  const said = (member: string) =>
    chunks.map(({ choices }) => (choices[0]?.delta as Record<string, unknown> | undefined)?.[member] ?? "").join("");
  return { text: said("content"), reasoning: said("reasoning_content"), raw: JSON.stringify(chunks) };
}

test("every example is tried here", () => {
  expect(readdirSync(join(PACKAGE, "examples")).sort()).toEqual([
    "function-tools.ts",
    "generator.ts",
    "other-framework.ts",
  ]);
});

test("generator.ts finds a word, and shows what it thinks and does", { timeout: TIMEOUT_MS }, async () => {
  const { client, printed } = await startExample("generator.ts", { args: ["examples"] });
  expect(printed).toContain("curl");
  const { text, reasoning, raw } = await ask(client, "openclaw/finder", "createGateway");
  expect(text).toContain('generator.ts: import { createGateway, defineAgent } from "@openclaw/gateway-http";\n');
  expect(text).toMatch(/\d+ lines\.$/);
  expect(reasoning).toBe("“createGateway” may be in any of 3 files.");
  expect(raw).toContain("read generator.ts");
});

test("function-tools.ts lets a model call its functions", { timeout: TIMEOUT_MS }, async () => {
  const provider = await startProvider(callThenSay("order", { fruit: "apples", pieces: 3 }));
  const { client } = await startExample("function-tools.ts", {
    env: { OPENCLAW_MODEL: "stand/in" },
    config: { models: { providers: { stand: { baseUrl: provider.baseUrl } } } },
  });
  expect((await ask(client, "openclaw/shop", "3 apples")).text).toBe("It said: Ordered. 9 apples are left.");
  expect((await ask(client, "openclaw/shop", "9 apples")).text).toBe("It said: Ordered. 6 apples are left.");
  expect(provider.exchanges[0]?.json.tools).toMatchObject([
    { function: { name: "getStock" } },
    { function: { name: "order" } },
  ]);
});

test("other-framework.ts puts an agent of the ai package behind the gateway", { timeout: TIMEOUT_MS }, async () => {
  const provider = await startProvider(callThenSay("rollDie", { sides: 1 }));
  const env = { OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: "sk-theirs", MODEL: "theirs" };
  const { client } = await startExample("other-framework.ts", { env });
  const { text, raw } = await ask(client, "openclaw/dice", "roll");
  expect(text).toBe("It said: 1");
  expect(raw).toContain("rollDie");
  expect(provider.exchanges[0]).toMatchObject({
    headers: { authorization: "Bearer sk-theirs" },
    json: { model: "theirs", messages: [{ role: "user", content: "roll" }] },
  });
});

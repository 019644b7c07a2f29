import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Browser, launchChromium } from "../apps/playground/e2e/launch-chromium.ts";
import { listen } from "./support/listen.ts";
import { makeStateDir, SECRETS, serve } from "./support/run-bin.ts";

// A browser is the only one that holds anybody to CORS: the published openai package, in a page of another origin.

const root = join(import.meta.dirname, "..");

const PAGE = `
import OpenAI from "openai";
const describe = ({ name, status, code, requestID, message }) => ({ name, status, code, requestID, message });
const clientOf = (baseURL, apiKey) => new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0 });

window.ask = async ({ baseURL, apiKey, ...more }) => {
  try {
    const { data, response } = await clientOf(baseURL, apiKey).chat.completions
      .create({ model: "openclaw", messages: [{ role: "user", content: "hi" }], stream: true, ...more })
      .withResponse();
    let text = "", chunks = 0;
    for await (const chunk of data) {
      text += chunk.choices[0]?.delta.content ?? "";
      chunks++;
    }
    return { text, chunks, requestId: response.headers.get("x-request-id"), runId: response.headers.get("x-openclaw-run-id") };
  } catch (error) {
    return describe(error);
  }
};
`;

interface Asked {
  text?: string;
  chunks?: number;
  requestId?: string;
  runId?: string;
  name?: string;
  status?: number;
  code?: string;
  requestID?: string;
  message?: string;
}

let browser: Browser;
let script: string;

beforeAll(async () => {
  const { build } = createRequire(join(root, "packages/client/package.json"))("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: join(root, "packages/gateway-http") },
    bundle: true,
    format: "iife",
    platform: "browser",
    write: false,
  });
  script = outputFiles[0].text;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
});

/** A page at an origin, a gateway at another that lists it, and the page's `ask`. */
async function openPage({ at = "127.0.0.1" } = {}) {
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8");
    response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
  });
  const origin = new URL(await listen(server)).origin;
  const stateDir = await makeStateDir();
  const config = join(stateDir, "cors.json5");
  const http = { endpoints: { chatCompletions: { enabled: true } }, cors: { origins: [origin] } };
  await writeFile(config, JSON.stringify({ gateway: { auth: { token: SECRETS.token }, http } }));
  const { url } = await serve(["--config", config], { stateDir });

  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(origin.replace("127.0.0.1", at));
  const ask = (more: object = {}): Promise<Asked> =>
    page.evaluate(`ask(${JSON.stringify({ baseURL: `${url}/v1`, apiKey: SECRETS.token, ...more })})`) as Promise<Asked>;
  return { ask, complaints };
}

test("the openai package streams into a page of a listed origin, and the page reads what the headers say", async () => {
  const { ask, complaints } = await openPage();
  const { text, chunks, requestId, runId } = await ask();
  expect(text).toContain("Hello!");
  expect(chunks).toBeGreaterThan(3);
  expect(requestId).toMatch(/^req_/);
  expect(runId).toMatch(/^chatcmpl-/);
  expect(complaints).toEqual([]);
});

test("the page reads errors, with their code and request id", async () => {
  const { ask } = await openPage();
  const notFound = await ask({ model: "nobody" });
  expect(notFound).toMatchObject({ status: 404, code: "model_not_found", message: expect.stringContaining("nobody") });
  expect(notFound.requestID).toMatch(/^req_/);
  expect(await ask({ apiKey: "wrong" })).toMatchObject({ status: 401, code: "invalid_api_key" });
});

test("a page of another origin is told nothing at all", async () => {
  const { ask, complaints } = await openPage({ at: "localhost" });
  const failed = await ask();
  expect(failed.status).toBeUndefined();
  expect(failed.message).toMatch(/connection/i);
  await expect.poll(() => complaints.join()).toContain("blocked by CORS policy");
});

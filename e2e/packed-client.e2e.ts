import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installClient, typeCheck } from "./support/install-client.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
let app: string;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "openclaw-packed-"));
  await installClient(app);
});
afterAll(() => rm(app, { recursive: true, force: true }));

/** Asks a server that is not there, and answers in its place. */
const USE = `
const frame = (value) => "data: " + value + "\\n\\n";
const chunk = (delta, finish_reason = null) =>
  frame(JSON.stringify({ id: "1", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason }] }));
const body = chunk({ content: "Hel" }) + chunk({ content: "lo" }) + chunk({}, "stop") + frame("[DONE]");
const fetch = async () => new Response(body, { headers: { "content-type": "text/event-stream" } });
createClient({ baseUrl: "http://gateway.test", token: "token", fetch })
  .chat.completions.create({ messages: [{ role: "user", content: "hi" }], stream: true })
  .then((stream) => stream.text())
  .then((text) => console.log(text));
`;

test.each([
  ["import", "use.mjs", 'import { createClient } from "@openclaw/client";'],
  ["require()", "use.cjs", 'const { createClient } = require("@openclaw/client");'],
])("the package works with %s", async (_, file, line) => {
  await writeFile(join(app, file), line + USE);
  const { stdout, stderr } = await run(process.execPath, [file], { cwd: app });
  expect({ stdout, stderr }).toEqual({ stdout: "Hello\n", stderr: "" });
});

test("it brings no code but its own and the protocol's zod-free half", async () => {
  const { build } = createRequire(join(root, "packages/client/package.json"))("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: app,
    stdin: { contents: `import { createClient } from "@openclaw/client";${USE}`, resolveDir: app },
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    metafile: true,
    write: false,
  });
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []),
  );
  expect([...packages].sort()).toEqual(["@openclaw/client", "@openclaw/protocol"]);
  await writeFile(join(app, "bundle.cjs"), outputFiles[0]?.contents ?? "");
  expect((await run(process.execPath, ["bundle.cjs"], { cwd: app })).stdout).toBe("Hello\n");
});

const CONSUMER = `
import { createClient, isOpenClawError, type ChatCompletion, type ChatStream, type ErrorCode } from "@openclaw/client";

const client = createClient({ baseUrl: "http://127.0.0.1:18789", token: async () => "token", fetch });
const messages = [{ role: "user" as const, content: "hi" }];

export async function ask(signal: AbortSignal): Promise<string> {
  const whole: ChatCompletion = await client.chat.completions.create({ messages }, { signal, sessionKey: "mine" });
  const stream: ChatStream = await client.chat.completions.create({ messages, stream: true }, { signal });
  try {
    for await (const { choices } of stream) console.log(choices[0]?.delta.content);
    const { data } = await client.models.list();
    return data.map((model) => model.id).join() + whole.choices[0]?.message.content + (await stream.text());
  } catch (error) {
    const rate: ErrorCode = "rate_limit_exceeded";
    if (isOpenClawError(error, "APIError") && error.code === rate) return String((error.retryAfter ?? 0) + error.status);
    throw error;
  }
}

// @ts-expect-error messages are needed
client.chat.completions.create({ model: "openclaw" });
`;

test.each([
  ["bundler", { module: "preserve", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"], types: [] }],
  ["node16", { module: "node16", moduleResolution: "node16", lib: ["es2022"], types: ["node"] }],
])("its types are found and right with moduleResolution %s", async (name, options) => {
  const file = `consumer-${name}.ts`;
  await writeFile(join(app, file), CONSUMER);
  expect(await typeCheck(app, [file], options)).toBe("");
});

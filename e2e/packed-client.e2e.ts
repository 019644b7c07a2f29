import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

// What others install is not what the unit tests run on: it is built, packed and resolved by its published exports.

const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
const tsc = join(root, "node_modules", ".bin", "tsc");
const windows = process.platform === "win32";
let app: string;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "openclaw-packed-"));
  const { packageManager } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  for (const name of ["protocol", "client"]) {
    const options = { cwd: join(root, "packages", name), shell: windows };
    await run("npx", ["-y", packageManager, "pack", "--pack-destination", app], options);
  }
  const tarballs = (await readdir(app)).filter((file) => file.endsWith(".tgz")).map((file) => `./${file}`);
  expect(tarballs).toHaveLength(2);
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs], {
    cwd: app,
    shell: windows,
  });
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

test("the first lines of the README run", async () => {
  const readme = await readFile(join(app, "node_modules/@openclaw/client/README.md"), "utf8");
  const example = /```js\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const frame = (choice: object) => `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, ...choice }] })}\n\n`;
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(
      `${frame({ delta: { content: "Once" } })}${frame({ delta: {}, finish_reason: "stop" })}data: [DONE]\n\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await writeFile(join(app, "readme.mjs"), example.replace("127.0.0.1:18789", `127.0.0.1:${port}`));
  const { stdout, stderr } = await run(process.execPath, ["readme.mjs"], { cwd: app });
  server.close();
  expect({ stdout, stderr }).toEqual({ stdout: "Once", stderr: "" });
});

test("it brings no code but its own, the protocol's zod-free half and the parser", async () => {
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
  expect([...packages].sort()).toEqual(["@openclaw/client", "@openclaw/protocol", "eventsource-parser"]);
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
  const config = `tsconfig.${name}.json`;
  const typeRoots = [join(root, "node_modules", "@types")];
  const compilerOptions = { target: "es2022", strict: true, noEmit: true, skipLibCheck: false, typeRoots, ...options };
  await writeFile(join(app, "consumer.ts"), CONSUMER);
  await writeFile(join(app, config), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  const { stdout } = await run(tsc, ["-p", config], { cwd: app, shell: windows }).catch((error) => error);
  expect(stdout).toBe("");
});

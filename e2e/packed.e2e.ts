import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeStateDir, PATH, SECRETS, start } from "./support/run-bin.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..");
const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
/** Most that the server may add to somebody's node_modules, in MB. */
const MAX_INSTALLED_MB = 40;

let project: string;

/** A project like anybody's, with the packages installed from what `pnpm publish` would send. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "openclaw-packed-"));
  const tarballs = join(project, "tarballs");
  await mkdir(tarballs);
  const dependencies: Record<string, string> = {};
  for (const name of ["protocol", "gateway-http", "client"]) {
    const folder = join(ROOT, "packages", name);
    if (!existsSync(join(folder, "dist/index.js"))) throw new Error(`${name} is not built: run pnpm build`);
    const before = readdirSync(tarballs);
    await succeed("npx", ["-y", packageManager, "pack", "--pack-destination", tarballs], folder);
    const [tarball] = readdirSync(tarballs).filter((file) => !before.includes(file));
    dependencies[`@openclaw/${name}`] = `file:tarballs/${tarball}`;
  }
  // Without the override npm would look for the packages' own @openclaw/protocol in the registry.
  const overrides = { "@openclaw/protocol": "$@openclaw/protocol" };
  await write("package.json", JSON.stringify({ private: true, type: "module", dependencies, overrides }));
  await succeed("npm", ["install", "--no-audit", "--no-fund", "--omit=dev"]);
}, 240_000);

afterAll(() => rm(project, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFile(join(project, name), text);

/** Runs a program that has to end well, and gives what it printed. */
async function succeed(command: string, args: string[], cwd = project): Promise<string> {
  // npm and npx need the settings of this machine to reach its registry, so they get the whole environment.
  const env = { ...process.env, PATH, OPENCLAW_STATE_DIR: join(project, "state") };
  const { stdout } = await run(command, args, { cwd, env, timeout: 200_000, killSignal: "SIGKILL" });
  return stdout;
}

const SCRIPT = `
const gateway = createGateway({
  config: {
    gateway: { port: 0, auth: { mode: "none" }, http: { endpoints: { chatCompletions: { enabled: true } } } },
    logging: { level: "silent" },
  },
  agents: [defineAgent({ id: "main", async *run({ messages }) { yield "heard " + messages.length; } })],
});
gateway.listen().then(async ({ url }) => {
  const body = JSON.stringify({ messages: [{ role: "user", content: "hi" }] });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url + "/v1/chat/completions", { method: "POST", headers, body });
  console.log((await answer.json()).choices[0].message.content);
  await gateway.close();
});`;

test("npx finds the command line, and it knows its version", async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "packages/gateway-http/package.json"), "utf8"));
  expect(await succeed("npx", ["--no-install", "openclaw-gateway", "--version"])).toBe(`${version}\n`);
});

test("the installed command line serves", async () => {
  const stateDir = await makeStateDir();
  const { printed, child, exited } = start(
    join(project, "node_modules/.bin/openclaw-gateway"),
    ["run", "--enable-chat", "--port", "0", "--token", SECRETS.token],
    { env: { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir } },
  );
  const [, url] = await printed(/OpenClaw Gateway on (http:\S+)\n/);
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${SECRETS.token}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "hi" }] }),
  });
  expect(await answer.json()).toMatchObject({ object: "chat.completion", choices: [{ finish_reason: "stop" }] });
  child.kill("SIGTERM");
  expect((await exited).code).toBe(0);
});

test("a model whose library is not installed is told of before anything starts, with the way to mend it", async () => {
  const stateDir = await makeStateDir();
  const config = join(stateDir, "openclaw.json");
  await writeFile(config, JSON.stringify({ agents: { defaults: { model: "anthropic/claude-sonnet-4-5" } } }));
  const { exited } = start(join(project, "node_modules/.bin/openclaw-gateway"), ["run", "--config", config], {
    env: { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, ANTHROPIC_API_KEY: SECRETS.providerKey },
  });
  const { code, stderr } = await exited;
  expect(code).toBe(78);
  expect(stderr).toContain("npm install @ai-sdk/anthropic");
});

test("an ES module embeds a gateway", async () => {
  await write("embed.js", `import { createGateway, defineAgent } from "@openclaw/gateway-http";${SCRIPT}`);
  expect(await succeed(process.execPath, ["embed.js"])).toBe("heard 1\n");
});

test("CommonJS can require it", async () => {
  await write("embed.cjs", `const { createGateway, defineAgent } = require("@openclaw/gateway-http");${SCRIPT}`);
  expect(await succeed(process.execPath, ["embed.cjs"])).toBe("heard 1\n");
});

test("the client and the protocol can be imported, and /wire without zod", async () => {
  await write(
    "others.js",
    `import { createClient } from "@openclaw/client";
import { chatCompletionSchema } from "@openclaw/protocol";
import { ERRORS } from "@openclaw/protocol/wire";
console.log(typeof createClient, typeof chatCompletionSchema.parse, ERRORS.invalid_json.status);`,
  );
  expect(await succeed(process.execPath, ["others.js"])).toBe("function function 400\n");
});

test("nothing but what runs is in the packages", () => {
  for (const name of ["protocol", "gateway-http", "client"]) {
    const files = filesIn(join(project, "node_modules/@openclaw", name)).map(
      (file) => file.split(`/${name}/`)[1] ?? "",
    );
    expect(files.filter((file) => /(^|\/)(src|test)\/|\.test\.|tsbuildinfo|tsup\.config/.test(file))).toEqual([]);
    expect(files).toContain("dist/index.d.ts");
  }
});

test("nothing that is installed is native code, or runs anything while it is installed", () => {
  const files = filesIn(join(project, "node_modules"));
  expect(files.filter((file) => /\.node$|binding\.gyp$/.test(file))).toEqual([]);
  // A package's own manifest: in packages there are others, of their tests.
  const manifests = files.filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file));
  expect(manifests.length).toBeGreaterThan(50);
  const runs = manifests.filter((file) => {
    const { scripts = {} } = JSON.parse(readFileSync(file, "utf8"));
    return ["preinstall", "install", "postinstall"].some((name) => name in scripts);
  });
  expect(runs).toEqual([]);
});

test(`the installation is smaller than ${MAX_INSTALLED_MB} MB`, () => {
  const files = filesIn(join(project, "node_modules"));
  const megabytes = files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6;
  console.log(`installed: ${megabytes.toFixed(1)} MB in ${files.length} files`);
  expect(megabytes).toBeLessThan(MAX_INSTALLED_MB);
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test.for([
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
])("the declarations compile under strict, module %s, resolution %s", async ([module = "", resolution = ""]) => {
  await write(
    "consumer.ts",
    `import { createClient } from "@openclaw/client";
import { type AgentTurn, createGateway, defineAgent, type Gateway, GatewayError } from "@openclaw/gateway-http";
import type { ChatCompletion } from "@openclaw/protocol";
const agent = defineAgent({
  id: "main",
  async *run({ messages }: AgentTurn, { signal }) {
    if (signal.aborted) throw new GatewayError("run_aborted", "gone");
    yield \`heard \${messages.length}\`;
  },
});
const gateway: Gateway = createGateway({ agents: [agent], config: { gateway: { port: 0 } } });
export const url: Promise<string> = gateway.listen().then((address) => address.url);
export const text = (answer: ChatCompletion): string | null | undefined => answer.choices[0]?.message.content;
export const client = createClient({ baseUrl: "http://127.0.0.1", token: "t" });
// @ts-expect-error an agent needs an id
defineAgent({ async *run() {} });
// @ts-expect-error no such setting
createGateway({ config: { gateway: { prot: 1 } } });
`,
  );
  const types = join(ROOT, "node_modules/@types");
  const options = ["--strict", "--noEmit", "--target", "es2024", "--module", module, "--moduleResolution", resolution];
  await succeed(join(ROOT, "node_modules/.bin/tsc"), [
    ...options,
    "--typeRoots",
    types,
    "--types",
    "node",
    "consumer.ts",
  ]);
});

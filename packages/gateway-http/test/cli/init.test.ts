import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runConfigCheck } from "../../src/cli/config-check.ts";
import { runInit } from "../../src/cli/init.ts";
import { readEnvironment } from "../../src/config/env.ts";
import { loadConfig } from "../../src/config/load.ts";

let home: string;
let stateDir: string;
let file: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "openclaw-init-"));
  stateDir = join(home, ".openclaw");
  file = join(stateDir, "openclaw.json");
});
afterEach(() => rm(home, { recursive: true, force: true }));

const environment = (variables: Record<string, string> = {}) => readEnvironment({ HOME: home, ...variables });

async function run(
  command: typeof runInit | typeof runConfigCheck,
  options: { force?: boolean; variables?: Record<string, string>; config?: string } = {},
) {
  let output = "";
  const stdout = {
    write(text: string) {
      output += text;
    },
  };
  const env = environment(options.variables);
  const code = await command({
    env: { ...env, configPath: options.config ?? env.configPath },
    isElsewhere: options.config !== undefined,
    force: options.force ?? false,
    stdout,
  });
  return { code, output };
}

const permissions = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test("init writes a private config and a token, and the config loads without a notice", async () => {
  const { code, output } = await run(runInit);
  expect(code).toBe(0);
  expect(output).toContain(file);
  expect((await readdir(stateDir)).sort()).toEqual(["gateway-token", "openclaw.json"]);
  for (const name of [file, join(stateDir, "gateway-token")]) expect(await permissions(name)).toBe("600");
  expect(await permissions(stateDir)).toBe("700");
  const { config, notices } = await loadConfig({ env: environment() });
  expect(notices).toEqual([]);
  expect(config.gateway.http.endpoints.chatCompletions.enabled).toBe(true);
  expect(config.gateway.auth.mode).toBe("token");
  expect(config.agents.list).toMatchObject([{ id: "main", default: true, model: "demo" }]);
  expect(output).not.toContain((await readFile(join(stateDir, "gateway-token"), "utf8")).trim());
});

test("init says how to start with what it wrote, wherever that is", async () => {
  expect((await run(runInit)).output).toMatch(/^Start the gateway with: openclaw-gateway$/m);
  expect(await readFile(file, "utf8")).toContain(`It is in the file ${join(stateDir, "gateway-token")}. `);
  const config = join(home, "my config.json");
  const elsewhere = join(home, "odd\nstate");
  const { output } = await run(runInit, { config, variables: { OPENCLAW_STATE_DIR: elsewhere } });
  expect(output).toContain(`Start the gateway with: openclaw-gateway --config '${config}'\n`);
  const text = await readFile(config, "utf8");
  expect(text).toContain(`openclaw-gateway config check --config '${config}'\n`);
  expect(text).toContain(`It is in the file ${join(home, "odd?state", "gateway-token")}. `);
  expect((await loadConfig({ path: config, env: environment() })).notices).toEqual([]);
});

test("what init's config shows in comments is right too", async () => {
  await run(runInit);
  const text = await readFile(file, "utf8");
  const uncommented = text
    .replace('model: "demo",', "")
    .replace(/^( *)\/\/ (?=(?:mcp|models|providers|openai|mine|instructions|params|aliases|model): |[ ]|\}.?$)/gm, "$1")
    .replace(/^ *model: "(?!openai).*$/gm, "");
  await writeFile(file, uncommented);
  const { config, notices } = await loadConfig({ env: environment({ OPENAI_API_KEY: "sk-x" }) });
  expect(notices).toEqual([]);
  expect(config.agents.list[0]).toMatchObject({
    model: "openai/gpt-4o-mini",
    aliases: ["gpt-4o"],
    params: { temperature: 0.7 },
  });
  expect(config.models.providers).toMatchObject({
    openai: { apiKey: "sk-x" },
    mine: { baseUrl: "http://192.168.0.10:8000/v1" },
  });
  expect(config.mcp.servers).toMatchObject({ files: { command: "npx" }, docs: { url: "https://mcp.example.com/mcp" } });
});

test("init does not overwrite a config, and with force it keeps the token", async () => {
  await run(runInit);
  const token = await readFile(join(stateDir, "gateway-token"), "utf8");
  await writeFile(file, "{}");
  await chmod(file, 0o644);
  const refused = await run(runInit);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("--force");
  expect(await readFile(file, "utf8")).toBe("{}");
  expect((await run(runInit, { force: true })).code).toBe(0);
  expect(await readFile(file, "utf8")).toContain("chatCompletions");
  expect(await permissions(file)).toBe("600");
  expect(await readFile(join(stateDir, "gateway-token"), "utf8")).toBe(token);
  expect((await readdir(stateDir)).sort()).toEqual(["gateway-token", "openclaw.json"]);
});

test("config check says what the gateway would serve", async () => {
  await run(runInit);
  expect(await run(runConfigCheck)).toEqual({
    code: 0,
    output: [
      `${file}: ok`,
      "agents:   main (demo, default)",
      "endpoint: /v1/chat/completions is on",
      `auth:     token in ${join(stateDir, "gateway-token")}`,
      "",
    ].join("\n"),
  });
});

test("config check changes nothing: a token is not made", async () => {
  const { code, output } = await run(runConfigCheck);
  expect(code).toBe(0);
  expect(output).toContain("no such file, the defaults apply");
  expect(await readdir(home)).toEqual([]);
});

test("config check prints notices and no secret", async () => {
  await run(runInit);
  await writeFile(
    file,
    "{ channels: {}, gateway: { auth: { token: 'my-secret' } }, models: { providers: { openai: { apiKey: 'sk-secret' } } } }",
  );
  const { code, output } = await run(runConfigCheck, { variables: { OPENCLAW_GATEWAY_PASSWORD: "pw-secret" } });
  expect(code).toBe(0);
  expect(output).toContain("note: channels (line 1): not served");
  expect(output).toContain("auth:     token from the config");
  expect(output).not.toContain("secret");
});

test.each([
  ["{ gateway: { prot: 1 } }", "gateway.prot (line 1): unknown key"],
  ["{ agents: { list: [{ id: 'a', model: 'nope/x' }] } }", 'unknown provider "nope"'],
  ["{ gateway: { bind: 'lan' } }", "OPENCLAW_GATEWAY_TOKEN"],
  ["{ gateway: { bind: 'lan', auth: { mode: 'none' } } }", "only possible with gateway.bind"],
  ["{ gateway: {}", ":1:14: Unexpected end of input"],
])("config check ends with 78 for %s", async (text, message) => {
  await run(runInit);
  await writeFile(file, text);
  const { code, output } = await run(runConfigCheck);
  expect(code).toBe(78);
  expect(output).toContain(message);
});

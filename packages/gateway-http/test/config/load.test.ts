// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${…} is the config file's own syntax.
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readEnvironment } from "../../src/config/env.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/errors/config-error.ts";

let home: string;
let file: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "openclaw-config-"));
  await mkdir(join(home, ".openclaw"));
  file = join(home, ".openclaw", "openclaw.json");
});
afterEach(() => rm(home, { recursive: true, force: true }));

const load = async (text: string, variables: Record<string, string> = {}) => {
  await writeFile(file, text);
  return loadConfig({ env: readEnvironment({ HOME: home, ...variables }) });
};

test("a file at the default place is read as JSON5", async () => {
  await writeFile(file, "");
  const loaded = await load("\uFEFF// comment\n{ gateway: { port: +1234, bind: 'lan', }, /* more */ }");
  expect(loaded.config.gateway).toMatchObject({ port: 1234, bind: "lan" });
  expect(loaded).toMatchObject({ path: file, notices: [] });
});

test("the file's time is the config's", async () => {
  await writeFile(file, "{}");
  await utimes(file, 1_700_000_000, 1_700_000_000);
  const loaded = await loadConfig({ env: readEnvironment({ HOME: home }) });
  expect(loaded.modifiedAt).toBe(1_700_000_000_000);
});

test("no file at the default place means the defaults, of the time this process started", async () => {
  const loaded = await loadConfig({ env: readEnvironment({ HOME: home }) });
  expect(loaded.path).toBeUndefined();
  expect(loaded.config.gateway.port).toBe(18789);
  expect(loaded.modifiedAt).toBe(Math.round(performance.timeOrigin));
});

test("a file that was asked for has to be there", async () => {
  const missing = join(home, "missing.json5");
  const env = readEnvironment({ HOME: home, OPENCLAW_CONFIG_PATH: missing });
  await expect(loadConfig({ env })).rejects.toThrow(new ConfigError(`${missing}: there is no such config file`));
  await expect(loadConfig({ path: missing, env: readEnvironment({ HOME: home }) })).rejects.toThrow(ConfigError);
});

test("--config beats OPENCLAW_CONFIG_PATH", async () => {
  const other = join(home, "other.json5");
  await writeFile(other, "{ gateway: { port: 1 } }");
  const loaded = await loadConfig({
    path: other,
    env: readEnvironment({ HOME: home, OPENCLAW_CONFIG_PATH: "/nowhere" }),
  });
  expect(loaded).toMatchObject({ path: other, config: { gateway: { port: 1 } } });
});

test("OPENCLAW_GATEWAY_PORT beats the file", async () => {
  const loaded = await load("{ gateway: { port: 1 } }", { OPENCLAW_GATEWAY_PORT: "2" });
  expect(loaded.config.gateway.port).toBe(2);
});

test("a folder is no config", async () => {
  await expect(loadConfig({ path: home, env: readEnvironment({ HOME: home }) })).rejects.toThrow(
    new ConfigError(`${home}: this is a folder, not a config file`),
  );
});

test("a file that cannot be read is an error, not a missing file", async () => {
  await writeFile(file, "{}");
  // The folder it should be in is a file. (A file without permissions would not stop root.)
  const env = readEnvironment({ HOME: home, OPENCLAW_STATE_DIR: file });
  await expect(loadConfig({ env })).rejects.toThrow(/this config file cannot be read: ENOTDIR/);
});

test.each([
  ["{\n  gateway: {\n    port: ,\n  },\n}", ":3:11: "],
  ["", ":1:1: "],
  ["{ a: 1 } x", ":1:10: "],
])("a syntax error is told with line and column: %j", async (text, place) => {
  await expect(load(text)).rejects.toThrow(ConfigError);
  await expect(load(text)).rejects.toThrow(`${file}${place}`);
  await expect(load(text)).rejects.not.toThrow(/\(\d+:\d+\)/);
});

test("a key given twice is an error, not the last one's win", async () => {
  await expect(load("{\n  gateway: {\n    port: 1,\n    'port': 2,\n  },\n}")).rejects.toThrow(
    new ConfigError(`${file}:4:5: gateway.port is given twice, first on line 3`),
  );
});

test("every problem is told under the file's name with its line", async () => {
  const text =
    "{\n  gateway: {\n    auth: { token: '${NO_TOKEN}' },\n    prot: 1,\n  },\n  agents: { list: [\n    { id: 'a' },\n    { id: 'a' } ] },\n}";
  await expect(load(text)).rejects.toThrow(
    new ConfigError(
      `${file}:\n  gateway.auth.token (line 3): the environment variable NO_TOKEN is not set\n  gateway.prot (line 4): unknown key; did you mean gateway.port?\n  agents.list[1].id (line 8): another agent is called "a" too`,
    ),
  );
});

test("a notice has its line, and a required key that is missing has that of what lacks it", async () => {
  const { notices } = await load("{\n  channels: {},\n}");
  expect(notices).toEqual(["channels (line 2): not served by this gateway, passed over"]);
  await expect(load("{ agents: { list: [\n  { name: 'x' } ] } }")).rejects.toThrow(
    "agents.list[0].id (line 2): required",
  );
});

test("a variable's value reaches the config", async () => {
  const { config } = await load("{ gateway: { auth: { token: '${MY_TOKEN}' } } }", { MY_TOKEN: "abc" });
  expect(config.gateway.auth.token).toBe("abc");
});

test("__proto__ in a file is an unknown key", async () => {
  await expect(load('{ "__proto__": { gateway: { port: 1 } } }')).rejects.toThrow("__proto__ (line 1): unknown key");
});

test("absurd nesting is an error like any other", async () => {
  await expect(load(`{ a: ${"[".repeat(100_000)}`)).rejects.toThrow(ConfigError);
  await expect(
    load(`{ agents: { defaults: { params: { a: ${"[".repeat(100)}${"]".repeat(100)} } } } }`),
  ).rejects.toThrow(/nested more than 64 levels deep/);
});

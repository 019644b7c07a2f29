import { hash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createKeyRing } from "../../src/auth/key-ring.ts";
import { runConfigCheck } from "../../src/cli/config-check.ts";
import { runInit } from "../../src/cli/init.ts";
import { runKeys } from "../../src/cli/keys.ts";
import { type Options, UsageError } from "../../src/cli/options.ts";
import { readEnvironment } from "../../src/config/env.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/errors/config-error.ts";

/** How much longer than for users an edit waits before it looks again whether another one is over. */
const patience = vi.hoisted(() => ({ factor: 1 }));
vi.mock("node:timers/promises", async (importOriginal) => {
  const timers = await importOriginal<typeof import("node:timers/promises")>();
  return { ...timers, setTimeout: (ms: number) => timers.setTimeout(ms * patience.factor) };
});

let home: string;
let file: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "openclaw-keys-"));
  await mkdir(join(home, ".openclaw"));
  file = join(home, ".openclaw", "openclaw.json");
});
afterEach(() => rm(home, { recursive: true, force: true }));

const environment = (variables: Record<string, string> = {}) => readEnvironment({ HOME: home, ...variables });

function sink() {
  let text = "";
  return {
    write(more: string) {
      text += more;
    },
    get text() {
      return text;
    },
  };
}

async function keys(words: string, options: Options = {}, path?: string) {
  const [stdout, stderr] = [sink(), sink()];
  const code = await runKeys(words.split(" ").filter(Boolean), options, { env: environment(), path, stdout, stderr });
  return { code, out: stdout.text, err: stderr.text };
}

const hashOf = (token: string) => `sha256:${hash("sha256", token, "hex")}`;
const read = () => readFile(file, "utf8");
const configured = async () => (await loadConfig({ env: environment() })).config.gateway.auth.keys;

test("add prints the token alone, keeps its hash alone, and the key works with what was said", async () => {
  await runInit({ env: environment(), force: false, stdout: sink() });
  const before = Date.now();
  const { code, out, err } = await keys("add ann", {
    agents: "main, Poet",
    scopes: "chat,models",
    expires: "30d",
    "requests-per-minute": "60",
    "concurrent-runs": "2",
  });
  expect(code).toBe(0);
  expect(out).toMatch(/^sk-oc-[\w-]{43}\n$/);
  const token = out.trim();
  const text = await read();
  for (const said of [err, text]) expect(said).not.toContain(token);
  expect(err).toContain('the key "ann" names agents that this config does not have: poet');
  const [key, ...others] = await configured();
  expect(others).toEqual([]);
  expect(key).toEqual({
    id: "ann",
    tokenHash: hashOf(token),
    agents: ["main", "poet"],
    scopes: ["chat", "models"],
    expiresAt: expect.any(Number),
    limits: { requestsPerMinute: 60, concurrentRuns: 2 },
  });
  const days = ((key?.expiresAt ?? 0) - before) / 86_400_000;
  expect(days).toBeGreaterThan(29.9);
  expect(days).toBeLessThan(30.1);
  const ring = createKeyRing(await configured());
  expect(ring.find(token)).toMatchObject({ owner: "ann" });
  expect(ring.find(hashOf(token))).toBeUndefined();
});

test("without options a key may use all agents, has the default scopes, and never expires", async () => {
  await writeFile(file, "{}");
  const tokens = [await keys("add ann"), await keys("add bob")].map(({ out }) => out.trim());
  expect(new Set(tokens).size).toBe(2);
  const scopes = ["chat", "sessions", "models"];
  expect(await configured()).toEqual([
    { id: "ann", tokenHash: hashOf(tokens[0] ?? ""), scopes, limits: {} },
    { id: "bob", tokenHash: hashOf(tokens[1] ?? ""), scopes, limits: {} },
  ]);
});

test("an id that is there, or not there, changes nothing and ends with 1", async () => {
  await writeFile(file, "{}");
  await keys("add ann");
  const [text, { ino }] = [await read(), await stat(file)];
  const added = await keys("add ann", { agents: "main" });
  expect(added).toMatchObject({ code: 1, out: "" });
  expect(added.err).toContain("keys revoke ann");
  expect(await keys("revoke bob")).toMatchObject({ code: 1, out: "", err: expect.stringContaining('no key "bob"') });
  expect(await read()).toBe(text);
  expect((await stat(file)).ino).toBe(ino);
  expect(await readdir(join(home, ".openclaw"))).toEqual(["openclaw.json"]);
});

test("revoke takes one key away and leaves the others", async () => {
  await writeFile(file, "{ gateway: { auth: { keys: [] } } }");
  for (const id of ["ann", "bob", "carl"]) await keys(`add ${id}`);
  expect(await keys("revoke bob")).toMatchObject({ code: 0, out: "" });
  expect((await configured()).map(({ id }) => id)).toEqual(["ann", "carl"]);
  for (const id of ["carl", "ann"]) expect((await keys(`revoke ${id}`)).code).toBe(0);
  expect(await configured()).toEqual([]);
  expect((await keys("add dora")).code).toBe(0);
  expect((await configured()).map(({ id }) => id)).toEqual(["dora"]);
});

const LISTED = `{
  agents: { list: [{ id: "main" }, { id: "poet" }] },
  gateway: { auth: { keys: [
    { id: "ann", tokenHash: "sha256:${"a".repeat(64)}", agents: ["poet"], limits: { requestsPerMinute: 60, concurrentRuns: 2 } },
    { id: "old", token: "a-plain-token-0123", scopes: ["admin"], expiresAt: "2020-01-31" },
    { id: "none", tokenHash: "sha256:${"b".repeat(64)}", agents: [], scopes: [], expiresAt: "9999-01-31T18:00:00+02:00" },
    { id: "stray", tokenHash: "sha256:${"c".repeat(64)}", agents: ["poet", "peot", "gpt"] },
  ] } },
}`;

test("list says who may do what, and neither token nor hash", async () => {
  await writeFile(file, LISTED);
  const { code, out, err } = await keys("list");
  expect(code).toBe(0);
  expect(out.split("\n").map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
    "ID | AGENTS | SCOPES | EXPIRES | LIMITS | TOKEN",
    "ann | poet | chat, sessions, models | never | 60 requests/min, 2 runs at once | hashed",
    "old | all | admin | 2020-01-31T00:00:00Z (expired) | none | plain in the config",
    "none | none | none | 9999-01-31T16:00:00Z | none | hashed",
    "stray | poet, peot, gpt | chat, sessions, models | never | none | hashed",
    "",
  ]);
  expect(err).toBe('warning: the key "stray" names agents that this config does not have: peot, gpt\n');
  const json = (await keys("list", { json: true })).out;
  expect(JSON.parse(json).slice(0, 2)).toEqual([
    {
      id: "ann",
      agents: ["poet"],
      scopes: ["chat", "sessions", "models"],
      expiresAt: null,
      expired: false,
      limits: { requestsPerMinute: 60, concurrentRuns: 2 },
      plainToken: false,
    },
    {
      id: "old",
      agents: null,
      scopes: ["admin"],
      expiresAt: "2020-01-31T00:00:00Z",
      expired: true,
      limits: {},
      plainToken: true,
    },
  ]);
  for (const text of [out, json]) {
    expect(text).not.toContain("a-plain-token");
    expect(text).not.toMatch(/([abc])\1{9}/);
  }
});

test("config check tells the number of keys, and of those that name agents which are not there", async () => {
  await writeFile(file, LISTED);
  const stdout = sink();
  expect(await runConfigCheck({ env: environment(), stdout })).toBe(0);
  expect(stdout.text).toContain('warning: the key "stray" names agents that this config does not have: peot, gpt');
  expect(stdout.text).toContain(", and 4 keys of gateway.auth.keys");
  expect(stdout.text).not.toContain("a-plain-token");
});

test.each<[words: string, options: Options, message: string]>([
  ["", {}, "add, list or revoke"],
  ["show", {}, "add, list or revoke"],
  ["add", {}, "Which key?"],
  ["revoke", {}, "Which key?"],
  ["add ann bob", {}, "Too many words"],
  ["list ann", {}, "Too many words"],
  ["add Ann", {}, "ID: "],
  ["add operator", {}, "ID: "],
  ["add local", {}, "ID: "],
  ["add ann", { scopes: "chat,foo" }, '"foo" is none of'],
  ["add ann", { scopes: "" }, "--scopes"],
  ["add ann", { agents: "" }, "--agents"],
  ["add ann", { agents: "poet,,main" }, "--agents"],
  ["add ann", { agents: "openclaw/poet" }, '"openclaw/poet" is no agent'],
  ["add ann", { expires: "30" }, "--expires"],
  ["add ann", { expires: "soon" }, "--expires"],
  ["add ann", { expires: "2020-01-31" }, "is over"],
  ["add ann", { expires: "0d" }, "is over"],
  ["add ann", { expires: "2999-02-30" }, "--expires"],
  ["add ann", { expires: "2999-01-31T18:00" }, "--expires"],
  ["add ann", { expires: "99999999d" }, "too far"],
  ["add ann", { "requests-per-minute": "0" }, "--requests-per-minute"],
  ["add ann", { "requests-per-minute": "1.5" }, "--requests-per-minute"],
  ["add ann", { "concurrent-runs": "-1" }, "--concurrent-runs"],
  ["add ann", { "concurrent-runs": "100001" }, "--concurrent-runs"],
])("the usage of %j %j is wrong: %s", async (words, options, message) => {
  await writeFile(file, "{}");
  const error = await keys(words, options).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toContain(message);
  expect(await read()).toBe("{}");
});

test.each(["add ann", "list", "revoke ann"])("%s without a config says to run init", async (words) => {
  const error = await keys(words).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toContain("openclaw-gateway init");
  await expect(keys(words, {}, join(home, "nowhere.json"))).rejects.toThrow(ConfigError);
});

test("a config that is wrong is not edited", async () => {
  const text = "{ gateway: { prot: 1 } }";
  await writeFile(file, text);
  await expect(keys("add ann")).rejects.toThrow("gateway.prot (line 1): unknown key");
  expect(await read()).toBe(text);
});

/** Variables wherever the schema wants more than any text, and the same one twice. */
const VARIABLES = `{
  gateway: {
    trustedProxies: ["\${PROXY}"],
    auth: { mode: "token", token: "\${SECRET}", keys: [
      { id: "ann", token: "\${SECRET}" },
      { id: "bob", tokenHash: "\${BOBS_HASH}", expiresAt: "\${UNTIL}" },
      { id: "carl", tokenHash: "\${BOBS_HASH}" },
    ] },
    http: { hosts: ["\${HOST}"], cors: { origins: ["\${ORIGIN}"] } },
  },
  models: { providers: { own: { baseUrl: "\${URL}/v1", apiKey: "\${KEY}" } } },
  agents: { list: [{ id: "\${AGENT}", model: "\${MODEL}" }] },
  sessions: { pruneAfter: "\${PRUNE}" },
  mcp: { servers: { files: { url: "\${URL}", headers: { authorization: "Bearer \${KEY}" } } } },
}`;

test.each([
  ["of this test", async () => VARIABLES, "ann"],
  [
    "of compose.yaml",
    () => readFile(join(import.meta.dirname, "../../../../deploy/config/openclaw.json5"), "utf8"),
    "open-webui",
  ],
])("keys need none of the variables that the config %s names; config check does", async (_whose, readText, id) => {
  const text = await readText();
  await writeFile(file, text);
  expect(await keys("list")).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^${id} .*plain`, "m")) });
  expect((await keys("add dora")).code).toBe(0);
  expect(await read()).toContain('id: "dora"');
  expect((await keys("revoke dora")).code).toBe(0);
  expect(await read()).toBe(text);
  expect((await keys(`revoke ${id}`)).code).toBe(0);
  expect(await read()).not.toContain(`"${id}"`);
  await writeFile(file, text);
  const stdout = sink();
  expect(await runConfigCheck({ env: environment(), stdout })).toBe(78);
  expect(stdout.text).toContain("is not set");
});

test("what is wrong beside a variable is wrong without it too, and what no text can be is told", async () => {
  await writeFile(file, `{ gateway: { auth: { token: "\${T}" }, prot: 1 } }`);
  await expect(keys("list")).rejects.toThrow("gateway.prot (line 1): unknown key");
  await writeFile(file, `{ gateway: { bind: "\${BIND}" } }`);
  await expect(keys("add ann")).rejects.toThrow("the environment variable BIND is not set");
});

test("a file that is not UTF-8 is not edited: what it says would be lost", async () => {
  const key = `{ id: "ann", tokenHash: "sha256:${"a".repeat(64)}" }`;
  const bytes = Buffer.from(`{ gateway: { auth: { keys: [${key}] } } } // Zo\xeb`, "latin1");
  await writeFile(file, bytes);
  for (const words of ["add bob", "revoke ann"]) {
    expect(await keys(words)).toMatchObject({ code: 1, err: expect.stringContaining("its text is not UTF-8") });
    expect((await readFile(file)).equals(bytes)).toBe(true);
  }
  expect(await readdir(join(home, ".openclaw"))).toEqual(["openclaw.json"]);
});

test("the file's mode stays, and a link goes on leading to the file", async () => {
  const target = join(home, "real.json");
  await writeFile(target, "{}");
  await chmod(target, 0o640);
  await symlink(target, file);
  expect((await keys("add ann")).code).toBe(0);
  expect(await readlink(file)).toBe(target);
  expect((await stat(target)).mode & 0o777).toBe(0o640);
  expect(await readFile(target, "utf8")).toContain('"ann"');
  expect((await readdir(home)).sort()).toEqual([".openclaw", "real.json"]);
});

test("another file is edited with --config", async () => {
  const path = join(home, "other.json5");
  await writeFile(path, "{}");
  expect((await keys("add ann", {}, path)).code).toBe(0);
  expect((await keys("list", { json: true }, path)).out).toContain('"ann"');
  await expect(read()).rejects.toThrow("ENOENT");
});

test("keys that are made at the same time are all there", async () => {
  // The last of four waits for three writes to a disk, which may be slow.
  patience.factor = 8;
  onTestFinished(() => {
    patience.factor = 1;
  });
  await writeFile(file, "{} // mine");
  const ids = ["ann", "bob", "carl", "dora"];
  const results = await Promise.all(ids.map((id) => keys(`add ${id}`)));
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect((await configured()).map(({ id }) => id).sort()).toEqual(ids);
  expect(await read()).toMatch(/\/\/ mine$/);
});

test("where the file cannot be edited nothing changes, and what to write is said", async () => {
  await writeFile(file, "{}");
  // In the place of the lock, for good.
  await writeFile(`${file}.lock`, "");
  const [{ code, out, err }, revoked] = await Promise.all([keys("add ann", { agents: "main" }), keys("revoke bob")]);
  expect(code).toBe(1);
  expect(err).toContain(`delete ${file}.lock`);
  const entry = JSON.parse(/^ {2}(\{.*\})$/m.exec(err)?.[1] ?? "null");
  expect(entry).toEqual({ id: "ann", tokenHash: hashOf(out.trim()), agents: ["main"] });
  expect(await read()).toBe("{}");
  expect(await readFile(`${file}.lock`, "utf8")).toBe("");
  expect(revoked).toMatchObject({ code: 1, err: expect.stringContaining("by hand") });
});

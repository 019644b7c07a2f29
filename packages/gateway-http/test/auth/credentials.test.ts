import { hash } from "node:crypto";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CredentialsOptions, findCredentials, resolveCredentials } from "../../src/auth/credentials.ts";
import { ConfigError } from "../../src/errors/config-error.ts";

let parent: string;
let stateDir: string;
let tokenFile: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "openclaw-auth-"));
  stateDir = join(parent, "a", "state");
  tokenFile = join(stateDir, "gateway-token");
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const resolve = (
  auth: CredentialsOptions["auth"] = {},
  { token, password, loopback = true }: { token?: string; password?: string; loopback?: boolean } = {},
) => resolveCredentials({ auth, env: { token, password }, stateDir, loopback });

const permissions = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test.each([
  [{ token: "c" }, {}, { mode: "token", secret: "c", source: "config" }],
  [{ token: "c" }, { token: "e" }, { mode: "token", secret: "c", source: "config" }],
  [{}, { token: "e" }, { mode: "token", secret: "e", source: "environment" }],
  [{}, { token: "e", password: "p" }, { mode: "token", secret: "e", source: "environment" }],
  [{}, { password: "p" }, { mode: "password", secret: "p", source: "environment" }],
  [{ password: "c" }, { token: "e" }, { mode: "password", secret: "c", source: "config" }],
  [{ token: "c", password: "d" }, {}, { mode: "token", secret: "c", source: "config" }],
  [{ mode: "password", token: "c", password: "d" }, {}, { mode: "password", secret: "d", source: "config" }],
  [{ mode: "password" }, { password: "p" }, { mode: "password", secret: "p", source: "environment" }],
  [{ mode: "token" }, { token: "e" }, { mode: "token", secret: "e", source: "environment" }],
] as const)("config %j and environment %j give %j, on any address and without a file", async (auth, env, expected) => {
  for (const loopback of [true, false]) {
    expect(await resolve(auth, { ...env, loopback })).toEqual({
      ...expected,
      digest: hash("sha256", expected.secret, "buffer"),
    });
  }
  await expect(access(tokenFile)).rejects.toThrow();
});

test("with nothing configured on loopback a token is made, private, and kept", async () => {
  expect(
    await findCredentials({ auth: {}, env: { token: undefined, password: undefined }, stateDir, loopback: true }),
  ).toBeUndefined();
  await expect(access(stateDir)).rejects.toThrow();
  const credentials = await resolve();
  const token = (await readFile(tokenFile, "utf8")).trim();
  expect(Buffer.from(token, "base64url")).toHaveLength(32);
  expect(credentials).toEqual({
    mode: "token",
    source: "generated",
    secret: token,
    digest: hash("sha256", token, "buffer"),
    tokenFile,
  });
  expect(await resolve()).toEqual(credentials);
  expect(await resolve({ mode: "token" })).toEqual(credentials);
  expect(await readdir(stateDir)).toEqual(["gateway-token"]);
  expect(await permissions(tokenFile)).toBe("600");
  expect(await permissions(stateDir)).toBe("700");
  expect(await permissions(join(parent, "a"))).toBe("700");
});

test("gateways that start at the same time get the same token", async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => resolve()));
  expect(new Set(all.map((credentials) => "secret" in credentials && credentials.secret)).size).toBe(1);
  expect(await readdir(stateDir)).toEqual(["gateway-token"]);
});

test("permissions that are too wide are taken back", async () => {
  await mkdir(stateDir, { recursive: true });
  await writeFile(tokenFile, "my-own-token\n");
  await chmod(tokenFile, 0o644);
  expect(await resolve()).toMatchObject({ secret: "my-own-token" });
  expect(await permissions(tokenFile)).toBe("600");
});

test.each(["", "two words", "a\nb"])("a token file that holds %j is an error and stays as it is", async (text) => {
  await mkdir(stateDir, { recursive: true });
  await writeFile(tokenFile, text);
  await expect(resolve()).rejects.toThrow(/gateway-token: this is no token/);
  expect(await readFile(tokenFile, "utf8")).toBe(text);
});

test("a state folder that cannot be used is a ConfigError", async () => {
  await writeFile(join(parent, "a"), "");
  await expect(resolve()).rejects.toThrow(ConfigError);
  await rm(join(parent, "a"));
  await mkdir(tokenFile, { recursive: true });
  await expect(resolve()).rejects.toThrow(ConfigError);
});

test("elsewhere than on loopback a gateway without auth does not start, and says what to set", async () => {
  await expect(resolve({}, { loopback: false })).rejects.toThrow(/OPENCLAW_GATEWAY_TOKEN/);
  await expect(resolve({ mode: "token" }, { loopback: false })).rejects.toThrow(ConfigError);
  await expect(access(stateDir)).rejects.toThrow();
});

test("a token made on loopback serves elsewhere only when the mode says token", async () => {
  await resolve();
  await expect(resolve({}, { loopback: false })).rejects.toThrow(ConfigError);
  expect(await resolve({ mode: "token" }, { loopback: false })).toMatchObject({ source: "generated", tokenFile });
});

test("mode none is for loopback only", async () => {
  expect(await resolve({ mode: "none" })).toEqual({ mode: "none" });
  expect(await resolve({ mode: "none", token: "x" })).toEqual({ mode: "none" });
  await expect(resolve({ mode: "none" }, { loopback: false })).rejects.toThrow(ConfigError);
});

test("a mode that lacks what it needs is an error, not another mode", async () => {
  await expect(resolve({ mode: "password" })).rejects.toThrow(/OPENCLAW_GATEWAY_PASSWORD/);
  await expect(resolve({ mode: "password", token: "x" }, { token: "y" })).rejects.toThrow(ConfigError);
  await expect(resolve({ mode: "token", password: "x" })).rejects.toThrow(/only gateway\.auth\.password is set/);
  await expect(access(stateDir)).rejects.toThrow();
});

test("a secret of a flag is trimmed, and an empty one is an error", async () => {
  expect(await resolve({ mode: "token", token: " t " })).toMatchObject({
    secret: "t",
    digest: hash("sha256", "t", "buffer"),
  });
  await expect(resolve({ mode: "password", password: " " })).rejects.toThrow(/password is empty/);
});

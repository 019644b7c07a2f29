import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { applyOptions } from "../../src/cli/apply-options.ts";
import { UsageError } from "../../src/cli/options.ts";
import { readEnvironment } from "../../src/config/env.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { ConfigError } from "../../src/errors/config-error.ts";

const BLOCK = { userHeader: "x-forwarded-user" };

function load(gateway: object): LoadedConfig {
  const { config } = parseConfig({ gateway });
  return { config, path: undefined, modifiedAt: 0, notices: [], env: readEnvironment({ HOME: "/nowhere" }) };
}

test.each(["token", undefined])("--auth trusted-proxy uses the blocks of a config whose mode is %j", (mode) => {
  const loaded = load({ auth: { mode, trustedProxy: BLOCK }, trustedProxies: ["::1"] });
  const { auth } = applyOptions(loaded, { auth: "trusted-proxy" }).config.gateway;
  expect(auth).toMatchObject({ mode: "trusted-proxy", trustedProxy: BLOCK });
});

test.each([
  [{}, /^gateway\.auth\.trustedProxy: required with --auth trusted-proxy$/],
  [{ trustedProxies: ["::1"] }, /^gateway\.auth\.trustedProxy: required/],
  [{ auth: { trustedProxy: BLOCK } }, /^gateway\.trustedProxies: required/],
])("--auth trusted-proxy over %j is a ConfigError", (gateway, message) => {
  const apply = () => applyOptions(load(gateway), { auth: "trusted-proxy" });
  expect(apply).toThrow(ConfigError);
  expect(apply).toThrow(message);
});

test.each([{ auth: "token" }, { auth: "none" }, { token: "t" }, { password: "p" }])(
  "%j overrules a config's trusted-proxy, with its block",
  (options) => {
    const gateway = { auth: { mode: "trusted-proxy", trustedProxy: BLOCK }, trustedProxies: ["::1"] };
    const { auth } = applyOptions(load(gateway), options).config.gateway;
    expect(auth.mode).not.toBe("trusted-proxy");
    expect(auth.trustedProxy).toBeUndefined();
  },
);

test("a flag that leaves the mode alone leaves the block", () => {
  const gateway = { auth: { mode: "trusted-proxy", trustedProxy: BLOCK }, trustedProxies: ["::1"] };
  const { auth } = applyOptions(load(gateway), { port: "1" }).config.gateway;
  expect(auth).toMatchObject({ mode: "trusted-proxy", trustedProxy: BLOCK });
});

test.each(["token", "password"] as const)(
  "--%s-file is where the %s stands, without the end of its line",
  async (mode) => {
    const folder = await mkdtemp(join(tmpdir(), "openclaw-secret-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "secret");
    const flag = { [`${mode}-file`]: path };
    await writeFile(path, "a-secret-0123456789\r\n");
    const { auth } = applyOptions(load({ auth: { mode: "none" } }), flag).config.gateway;
    expect(auth).toMatchObject({ mode, [mode]: "a-secret-0123456789" });
    expect(applyOptions(load({}), { ...flag, [mode]: "said" }).config.gateway.auth[mode]).toBe("said");
    await writeFile(path, "\n");
    expect(() => applyOptions(load({}), flag)).toThrow(new UsageError(`--${mode}-file: the file is empty`));
  },
);

test("another word for --auth is a usage error that names all four", () => {
  expect(() => applyOptions(load({}), { auth: "proxy" })).toThrow(UsageError);
  expect(() => applyOptions(load({}), { auth: "proxy" })).toThrow("token, password, trusted-proxy or none");
});

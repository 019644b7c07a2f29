import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { banner } from "../../src/cli/banner.ts";
import { runConfigCheck } from "../../src/cli/config-check.ts";
import { readEnvironment } from "../../src/config/env.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { type ConfigInput, createGateway, type GatewayAddress } from "../../src/index.ts";
import { captureLog } from "../support/capture-log.ts";
import { startGateway } from "../support/start-gateway.ts";
import { pemPath } from "../support/tls.ts";

const TLS = { certPath: pemPath("gateway", "crt"), keyPath: pemPath("gateway", "key") };
const http = { endpoints: { chatCompletions: { enabled: true } } };
const BY_PROXY = {
  auth: { mode: "trusted-proxy" as const, trustedProxy: { userHeader: "X-Forwarded-User" } },
  trustedProxies: ["::1"],
};

function bannerOf(gateway: ConfigInput["gateway"], address: Partial<GatewayAddress>): string {
  const { config } = parseConfig({ gateway: { http, ...gateway }, logging: { level: "silent" } });
  const where = { url: "https://127.0.0.1:1", port: 1, authMode: "token" as const, tokenFile: "/state/gateway-token" };
  return banner({
    address: { ...where, ...address },
    gateway: createGateway({ config: { logging: { level: "silent" } } }),
    loaded: { config, path: undefined },
  });
}

test("with TLS the line to try trusts the certificate", () => {
  const text = bannerOf({ tls: TLS }, {});
  expect(text).toContain("OpenClaw Gateway on https://127.0.0.1:1\n");
  expect(text).toContain(`curl -N --cacert ${TLS.certPath} https://127.0.0.1:1/v1/chat/completions`);
  expect(bannerOf({ tls: { ...TLS, enabled: false } }, { url: "http://127.0.0.1:1" })).toContain("curl -N http:");
});

test.each(["https://192.168.0.2:1", "https://[::1]:1", "https://agents.example.com"])(
  "at %s, which the certificate does not name, there is none",
  (url) => {
    expect(bannerOf({ tls: TLS }, { url })).not.toContain("curl");
  },
);

test("trusted-proxy is told with its header, and without a line to try", () => {
  const text = bannerOf(BY_PROXY, { authMode: "trusted-proxy", tokenFile: undefined });
  expect(text).toContain("auth    trusted-proxy, the user is in x-forwarded-user\n");
  expect(text).not.toContain("curl");
});

async function check(gateway: ConfigInput["gateway"]) {
  const { stateDir } = await startGateway();
  const path = join(stateDir, "openclaw.json");
  await writeFile(path, JSON.stringify({ gateway }));
  let text = "";
  const stdout = { write: (part: string) => (text += part) };
  const env = readEnvironment({ HOME: stateDir, OPENCLAW_STATE_DIR: stateDir });
  return { code: await runConfigCheck({ env, path, stdout: stdout as never }), text };
}

test("config check tells the mode, and until when the certificate is good", async () => {
  const { code, text } = await check({ ...BY_PROXY, tls: TLS });
  expect(code).toBe(0);
  expect(text).toMatch(/^auth: +trusted-proxy: the proxies of gateway\.trustedProxies .* x-forwarded-user$/m);
  expect(text).toMatch(/^tls: +\S+gateway\.crt, until 2126-/m);
});

test("a token that can be guessed is warned of by config check and at the start, without the token", async () => {
  const auth = { mode: "token" as const, token: "a-short-token" };
  const { code, text } = await check({ auth });
  expect([code, text]).toEqual([
    0,
    expect.stringMatching(/^warning: the gateway's token has less than 16 characters/m),
  ]);
  const log = captureLog();
  await startGateway({ config: { logging: { format: "json", level: "warn" }, gateway: { auth } } });
  const warning = /the gateway's token has less than 16 characters/;
  await vi.waitFor(() => expect(log.text()).toMatch(warning), 10_000);
  for (const told of [text, log.text()]) expect(told).not.toContain(auth.token);
  expect((await check({ auth: { ...auth, token: "a-token-that-is-long" } })).text).not.toContain("warning");
});

test("config check finds what would keep the gateway from starting", async () => {
  const mismatched = { ...TLS, keyPath: pemPath("renewed", "key") };
  expect(await check({ tls: mismatched })).toMatchObject({
    code: 78,
    text: expect.stringMatching(/^gateway\.tls\.keyPath: \S+ is not the key of the certificate\.$/m),
  });
  const unused = { auth: { ...BY_PROXY.auth, mode: "token" as const } };
  expect(await check(unused)).toMatchObject({
    code: 78,
    text: expect.stringContaining("gateway.auth.trustedProxy is"),
  });
});

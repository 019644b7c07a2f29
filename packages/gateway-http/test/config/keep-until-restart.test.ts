import { expect, test } from "vitest";
import { FIXED, keepUntilRestart } from "../../src/config/keep-until-restart.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { type ConfigInput, configSchema } from "../../src/config/schema.ts";
import { schemaPaths } from "../../src/config/schema-paths.ts";

/**
 * Keys that a reload puts in force, with all below them. A key is in here when a test of `test/reload/` shows it, or
 * when it is read off the settings of now for each request.
 */
const LIVE = [
  "agents",
  "models",
  "mcp.servers",
  // But for a change of the mode.
  "gateway.auth.mode",
  "gateway.auth.token",
  "gateway.auth.password",
  "gateway.auth.trustedProxy",
  "gateway.auth.keys",
  "gateway.limits",
  "gateway.http.endpoints.chatCompletions.enabled",
  "gateway.http.endpoints.chatCompletions.images",
  "gateway.http.keepAliveMs",
  "gateway.http.commitAfterMs",
  "gateway.http.slowClientMs",
  "gateway.http.hosts",
  "gateway.http.cors",
  "gateway.http.securityHeaders",
  "sessions.concurrency",
  "sessions.maxQueued",
  "sessions.clientHeaders",
  "sessions.fromUser",
  "logging.level",
  "logging.content",
];

const isUnder = (path: string, keys: readonly string[]) =>
  keys.some((key) => path === key || path.startsWith(`${key}.`));

test("of every key of the config it is said whether it needs a restart", () => {
  const paths = schemaPaths(configSchema);
  const leaves = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
  expect(leaves.length).toBeGreaterThan(50);
  const said = (path: string) => Number(isUnder(path, FIXED)) + Number(isUnder(path, LIVE));
  expect(leaves.filter((path) => said(path) !== 1)).toEqual([]);
  // And no word about a key that is not there.
  expect([...FIXED, ...LIVE].filter((key) => !paths.includes(key))).toEqual([]);
});

const RUNNING: ConfigInput = { gateway: { port: 1234, bind: "custom", customBindHost: "127.0.0.2" } };
const CHANGES: [string, ConfigInput][] = [
  ["gateway.port", { gateway: { ...RUNNING.gateway, port: 4321 } }],
  ["gateway.customBindHost", { gateway: { ...RUNNING.gateway, customBindHost: "127.0.0.3" } }],
  ["gateway.trustedProxies", { gateway: { ...RUNNING.gateway, trustedProxies: ["10.0.0.1"] } }],
  ["gateway.tls", { gateway: { ...RUNNING.gateway, tls: { certPath: "/a", keyPath: "/b" } } }],
  ["gateway.auth.rateLimit", { gateway: { ...RUNNING.gateway, auth: { rateLimit: { maxAttempts: 3 } } } }],
  ["gateway.http.resumeWindowMs", { gateway: { ...RUNNING.gateway, http: { resumeWindowMs: 5 } } }],
  ["sessions.pruneAfter", { ...RUNNING, sessions: { pruneAfter: "1d" } }],
  ["sessions.maxEntries", { ...RUNNING, sessions: { maxEntries: 5 } }],
  ["sessions.store", { ...RUNNING, sessions: { store: { sync: "normal" } } }],
  ["logging.format", { ...RUNNING, logging: { format: "json" } }],
];

const parse = (input: ConfigInput) => parseConfig(input).config;

test.each(CHANGES)("%s stays as it is, and is named", (key, input) => {
  const running = parse(RUNNING);
  const { config, restart } = keepUntilRestart(running, parse({ ...input, agents: { defaults: { maxSteps: 7 } } }));
  expect(restart).toEqual([key]);
  expect(config.agents.defaults.maxSteps).toBe(7);
  expect({ ...config, agents: undefined }).toEqual({ ...running, agents: undefined });
  // Back as it was, nothing needs a restart any more.
  expect(keepUntilRestart(config, running).restart).toEqual([]);
});

test("bind and its host stay together, and the new config itself is left as it is", () => {
  const next = parse({});
  const { config, restart } = keepUntilRestart(parse(RUNNING), next);
  expect(restart).toEqual(["gateway.port", "gateway.bind", "gateway.customBindHost"]);
  expect(config.gateway).toMatchObject(RUNNING.gateway ?? {});
  expect(next).toEqual(parse({}));
});

test("the same config again needs nothing", () => {
  expect(keepUntilRestart(parse(RUNNING), parse(RUNNING))).toEqual({ config: parse(RUNNING), restart: [] });
});

import { readFileSync } from "node:fs";
import { MAX_TIMER_MS, parseDuration } from "../config/duration.ts";
import type { LoadedConfig } from "../config/load.ts";
import { parseConfig } from "../config/parse.ts";
import type { Config } from "../config/schema.ts";
import { ConfigError } from "../errors/config-error.ts";
import { type Options, UsageError } from "./options.ts";

/** The loaded config with the command line's flags over it. */
export function applyOptions(loaded: LoadedConfig, options: Options): LoadedConfig {
  const { config } = loaded;
  const gateway = { ...config.gateway, ...bind(options.bind), auth: auth(config.gateway.auth, options) };
  if (options.port !== undefined) gateway.port = port(options.port);
  if (options["enable-chat"]) {
    const { chatCompletions } = gateway.http.endpoints;
    gateway.http = { ...gateway.http, endpoints: { chatCompletions: { ...chatCompletions, enabled: true } } };
  }
  if (options.auth === "trusted-proxy") requireProxy(gateway);
  const logging = options.verbose ? { ...config.logging, level: "debug" as const } : config.logging;
  return { ...loaded, config: { ...config, gateway, logging, agents: withModel(config, options.model) } };
}

/** Milliseconds of `--drain-timeout`. */
export function drainTimeout(text: string | undefined): number {
  const ms = text === undefined ? 30_000 : text === "0" ? 0 : parseDuration(text);
  if (ms === undefined || ms > MAX_TIMER_MS)
    throw new UsageError("--drain-timeout must be a duration such as 30s or 2m");
  return ms;
}

function bind(text: string | undefined): Partial<Config["gateway"]> {
  if (text === undefined) return {};
  return text === "loopback" || text === "lan" ? { bind: text } : { bind: "custom", customBindHost: text };
}

function auth(config: Config["gateway"]["auth"], options: Options): Config["gateway"]["auth"] {
  const mode = options.auth;
  if (mode !== undefined && !isMode(mode)) {
    throw new UsageError("--auth must be token, password, trusted-proxy or none");
  }
  const token = options.token ?? readSecret(options, "token-file");
  const password = options.password ?? readSecret(options, "password-file");
  const applied = {
    ...config,
    ...(mode !== undefined && { mode }),
    ...(token !== undefined && { token, ...(mode === undefined && { mode: "token" as const }) }),
    ...(password !== undefined && { password, ...(mode === undefined && { mode: "password" as const }) }),
  };
  // Flags that choose another mode overrule the block, which would have no use in it.
  if (applied.mode !== config.mode && applied.mode !== "trusted-proxy") applied.trustedProxy = undefined;
  return applied;
}

function isMode(text: string): text is NonNullable<Config["gateway"]["auth"]["mode"]> {
  return text === "token" || text === "password" || text === "trusted-proxy" || text === "none";
}

/** What the schema asks for where the config itself names the mode. */
function requireProxy({ auth, trustedProxies }: Config["gateway"]): void {
  const missing = auth.trustedProxy ? "gateway.trustedProxies" : "gateway.auth.trustedProxy";
  if (!auth.trustedProxy || trustedProxies.length === 0) {
    throw new ConfigError(`${missing}: required with --auth trusted-proxy`);
  }
}

/** @throws UsageError when there is none in the file; the file system's errors */
function readSecret(options: Options, flag: "token-file" | "password-file"): string | undefined {
  const file = options[flag];
  if (file === undefined) return undefined;
  const secret = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  if (secret === "") throw new UsageError(`--${flag}: the file is empty`);
  return secret;
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new UsageError("--port must be a number from 0 to 65535");
  return value;
}

/** `--model` is the model of agents that name none, so it takes the place of the default's. */
function withModel({ agents }: Config, model: string | undefined): Config["agents"] {
  if (model === undefined) return agents;
  const { defaults } = parseConfig({ agents: { defaults: { model } } }).config.agents;
  const list = agents.list.map((agent) =>
    agent.model === agents.defaults.model ? { ...agent, model: defaults.model, fallbacks: defaults.fallbacks } : agent,
  );
  return { defaults: { ...agents.defaults, model: defaults.model, fallbacks: defaults.fallbacks }, list };
}

import { type Credentials, findCredentials, isShortToken, SHORT_TOKEN } from "../auth/credentials.ts";
import { tokenFilePath } from "../auth/token-file.ts";
import type { Environment } from "../config/env.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { bindAddress } from "../config/network.ts";
import { strayAgents } from "../config/stray-agents.ts";
import { ConfigError } from "../errors/config-error.ts";
import { certificateFault, readTlsPair, type TlsPaths } from "../http/tls-pair.ts";
import { checkModels } from "../models/resolve-provider.ts";
import type { Output } from "./output.ts";

/** The exit code for a wrong config, EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

export interface ConfigCheckOptions {
  env: Environment;
  /** The file, as `--config` gives it. */
  path?: string | undefined;
  stdout: Output;
}

/**
 * Says whether the gateway would start with the config, and what it would serve. Changes nothing, prints no secret.
 *
 * @returns the exit code: 0, or 78 when something is wrong
 */
export async function runConfigCheck({ env, path, stdout }: ConfigCheckOptions): Promise<number> {
  try {
    const loaded = await loadConfig({ path, env });
    checkModels(loaded.config, env.variables);
    stdout.write(`${(await report(loaded)).join("\n")}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stdout.write(`${error.message}\n`);
    return EXIT_CONFIG;
  }
}

async function report({ config, path, notices, env }: LoadedConfig): Promise<string[]> {
  const { gateway, agents } = config;
  const { loopback } = bindAddress(gateway);
  const credentials = await findCredentials({ auth: gateway.auth, env, stateDir: env.stateDir, loopback });
  const list = agents.list.map(
    ({ id, model, default: isDefault }) => `${id} (${model}${isDefault ? ", default" : ""})`,
  );
  return [
    path === undefined ? `${env.configPath}: no such file, the defaults apply` : `${path}: ok`,
    ...notices.map((notice) => `note: ${notice}`),
    ...strayAgents({ agents, keys: gateway.auth.keys }).map((line) => `warning: ${line}`),
    ...(credentials && isShortToken(credentials) ? [`warning: ${SHORT_TOKEN}`] : []),
    `agents:   ${list.length === 0 ? `main (${agents.defaults.model})` : list.join(", ")}`,
    `endpoint: /v1/chat/completions is ${gateway.http.endpoints.chatCompletions.enabled ? "on" : "off"}`,
    `auth:     ${describeAuth(config, env, credentials)}`,
    ...(gateway.tls?.enabled ? [`tls:      ${await describeTls(gateway.tls)}`] : []),
  ];
}

async function describeTls(paths: TlsPaths): Promise<string> {
  const { certificate } = await readTlsPair(paths);
  return `${paths.certPath}, ${certificateFault(certificate) ?? `until ${certificate.validToDate.toISOString()}`}`;
}

function describeAuth(config: LoadedConfig["config"], env: Environment, found: Credentials | undefined): string {
  const { length } = config.gateway.auth.keys;
  const keys = length === 0 ? "" : `, and ${length} ${length === 1 ? "key" : "keys"} of gateway.auth.keys`;
  return `${describeMode(config, env, found)}${keys}`;
}

function describeMode({ gateway }: LoadedConfig["config"], env: Environment, found: Credentials | undefined): string {
  if (found?.mode === "none") return "none, for this machine only";
  if (found === undefined) return `a token will be made in ${tokenFilePath(env.stateDir)}`;
  if (found.mode === "trusted-proxy") {
    return `trusted-proxy: the proxies of gateway.trustedProxies name the user in ${gateway.auth.trustedProxy?.userHeader}`;
  }
  return found.source === "generated" ? `token in ${found.tokenFile}` : `${found.mode} from the ${found.source}`;
}

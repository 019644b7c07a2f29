import { gatewayStatusSchema } from "@openclaw/protocol";
import type { Environment } from "../config/env.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { parseConfig } from "../config/parse.ts";
import { ConfigError } from "../errors/config-error.ts";
import { applyOptions } from "./apply-options.ts";
import { askGateway, OtherCertificateError } from "./ask-gateway.ts";
import { type FoundGateway, findGateway, NOT_KNOWN, toFinding } from "./find-gateway.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import { type Finding, toText } from "./status-text.ts";

/** What only a gateway can be. */
const IS_GATEWAY: ReadonlySet<Finding["state"]> = new Set(["ready", "starting", "draining", "refused"]);
/** Milliseconds for all of it: whoever asks for health waits for an answer. */
const TIMEOUT_MS = 5000;

export interface StatusCommand {
  options: Options;
  env: Environment;
  stdout: Output;
  /** Milliseconds. @defaultValue 5000 */
  timeoutMs?: number;
}

/**
 * `openclaw-gateway status`: asks the gateway of this config how it is. Never prints a secret.
 *
 * @returns the exit code: 0 when it is ready; 1 when it is not, when it does not run, or when it refuses to tell
 * @throws ConfigError when the config cannot be read, UsageError
 */
export async function runStatus({ options, env, stdout, timeoutMs = TIMEOUT_MS }: StatusCommand): Promise<number> {
  const { loaded, broken } = await load(options, env);
  const finding = await find(loaded, AbortSignal.timeout(timeoutMs));
  if (broken) {
    if (!IS_GATEWAY.has(finding.state)) throw broken;
    finding.message ??= `Its configuration cannot be read any more:\n${broken.message}`;
  }
  stdout.write(options.json ? `${JSON.stringify(finding)}\n` : toText(finding));
  return finding.state === "ready" ? 0 : 1;
}

/**
 * The configuration; where it is broken, what flags and environment say without it: a gateway that runs goes on with
 * the one of before, and is not to be called ill because of it.
 */
async function load(options: Options, env: Environment): Promise<{ loaded: LoadedConfig; broken?: ConfigError }> {
  try {
    return { loaded: applyOptions(await loadConfig({ path: options.config, env }), options) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { config } = parseConfig({ gateway: env.port === undefined ? {} : { port: env.port } });
    const loaded = { config, env, path: undefined, modifiedAt: 0, notices: [] };
    return { loaded: applyOptions(loaded, options), broken: error };
  }
}

async function find(loaded: LoadedConfig, signal: AbortSignal): Promise<Finding> {
  const found = await findGateway(loaded, { scopes: ["admin"], signal });
  if (!("door" in found)) return found;
  const { url } = found;
  try {
    return { url, ...(await readMore(found, signal)) };
  } catch (error) {
    return { url, ...toFinding(error, signal) };
  }
}

async function readMore({ door, state, credential }: FoundGateway, signal: AbortSignal): Promise<Omit<Finding, "url">> {
  if (credential === undefined) {
    const message = "It tells more to the gateway's token, or a key with the scope admin: --token TEXT.";
    return { state, message };
  }
  const answer = await askGateway(door, "/status", { token: credential.token, knows: true, signal }).catch((error) => {
    if (error instanceof OtherCertificateError) return undefined;
    throw error;
  });
  if (!answer) return { state, message: NOT_KNOWN };
  const { status, json } = answer;
  const { data } = gatewayStatusSchema.safeParse(json);
  if (status === 200 && data) return { state: data.state, status: data };
  const said = (json as { error?: { message?: unknown } } | undefined)?.error?.message;
  const words = typeof said === "string" ? said : `It answered ${status}.`;
  if (status === 401 || status === 403 || status === 429) {
    const message = `${words} Give its token, or that of a key with the scope admin: --token TEXT.`;
    return { state: "refused", message };
  }
  return { state: "foreign", message: `${words} Is it a gateway of this version?` };
}

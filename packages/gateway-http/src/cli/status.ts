import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { gatewayStatusSchema, readySchema } from "@openclaw/protocol";
import { findCredentials } from "../auth/credentials.ts";
import type { Environment } from "../config/env.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { bindAddress } from "../config/network.ts";
import { parseConfig } from "../config/parse.ts";
import { ConfigError } from "../errors/config-error.ts";
import { applyOptions } from "./apply-options.ts";
import { askGateway, type GatewayDoor, NoAnswerError, OtherCertificateError } from "./ask-gateway.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import { type Finding, toText } from "./status-text.ts";

/** What only a gateway can be. */
const IS_GATEWAY: ReadonlySet<Finding["state"]> = new Set(["ready", "starting", "draining", "refused"]);
const NOT_KNOWN =
  "Whoever answers there has another certificate than gateway.tls.certPath has now, or that cannot be read: it got no " +
  "token, and tells what anyone may know.";
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
  const { gateway } = loaded.config;
  const url = toUrl(gateway);
  if (gateway.port === 0) {
    return { url, state: "unknown", message: "gateway.port 0 is any free port: say which it is with --port." };
  }
  try {
    const door = await toDoor(gateway);
    // Without credentials at first: most of what else may listen at a port is told from a gateway by that. Without TLS
    // something that poses as one gets them then, as from any client.
    const state = await readState(door, signal);
    if (state === undefined) {
      return { url, state: "foreign", message: "Something answers there, but it is no gateway. Is the port right?" };
    }
    return { url, ...(await readMore(door, loaded, state, signal)) };
  } catch (error) {
    return { url, ...toFinding(error, signal) };
  }
}

type State = "ready" | "starting" | "draining";

/** What anyone may know; `undefined` when it is not a gateway that answers. */
async function readState(door: GatewayDoor, signal: AbortSignal): Promise<State | undefined> {
  const { json } = await askGateway(door, "/readyz", { signal });
  return readySchema.safeParse(json).data?.status;
}

async function readMore(
  door: GatewayDoor,
  loaded: LoadedConfig,
  state: State,
  signal: AbortSignal,
): Promise<Omit<Finding, "url">> {
  const credential = await findCredential(loaded);
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

/** `undefined` where this user has none; without a token in mode none. */
async function findCredential({ config, env }: LoadedConfig): Promise<{ token: string | undefined } | undefined> {
  const { auth } = config.gateway;
  const { loopback } = bindAddress(config.gateway);
  try {
    const found = await findCredentials({ auth, env, stateDir: env.stateDir, loopback });
    if (found?.mode === "none") return { token: undefined };
    if (found && "secret" in found) return { token: found.secret };
  } catch (error) {
    // Of another user, or in the environment of the gateway alone.
    if (!(error instanceof ConfigError)) throw error;
  }
  const key = auth.keys.find(({ token, scopes }) => token !== undefined && scopes.includes("admin"));
  return key && { token: key.token };
}

function toFinding(error: unknown, signal: AbortSignal): Pick<Finding, "state" | "message"> {
  if (signal.aborted)
    return { state: "silent", message: "It does not answer in time. Does it run, and is it not too busy?" };
  if (error instanceof NoAnswerError) {
    return { state: "foreign", message: "Something listens there, but gives no whole HTTP answer. Is it a gateway?" };
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") {
    return { state: "stopped", message: "Nothing listens there. Start it: openclaw-gateway run" };
  }
  const isNetwork = code !== undefined;
  return { state: "foreign", message: `It cannot be asked (${isNetwork ? code : "no HTTP answer"}). Is it a gateway?` };
}

type GatewayConfig = LoadedConfig["config"]["gateway"];

function toUrl(gateway: GatewayConfig): string {
  const host = toHost(gateway);
  return `${gateway.tls?.enabled ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${gateway.port}`;
}

/** An address of this machine at which it listens. */
function toHost(gateway: GatewayConfig): string {
  const { host } = bindAddress(gateway);
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

async function toDoor(gateway: GatewayConfig): Promise<GatewayDoor> {
  const door = { host: toHost(gateway), port: gateway.port, tls: false, certificate: undefined };
  if (!gateway.tls?.enabled) return door;
  return { ...door, tls: true, certificate: await readCertificate(gateway.tls.certPath) };
}

/** `undefined` where it is not to be had just now: of another user, or half written. The gateway goes on with its own. */
async function readCertificate(path: string): Promise<X509Certificate | undefined> {
  try {
    return new X509Certificate(await readFile(path));
  } catch {
    return undefined;
  }
}

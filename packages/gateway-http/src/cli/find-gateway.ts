import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readySchema } from "@openclaw/protocol";
import { findCredentials } from "../auth/credentials.ts";
import type { LoadedConfig } from "../config/load.ts";
import { bindAddress } from "../config/network.ts";
import type { Scope } from "../config/schema-auth.ts";
import { ConfigError } from "../errors/config-error.ts";
import { askGateway, type GatewayDoor, NoAnswerError } from "./ask-gateway.ts";
import type { Finding } from "./status-text.ts";

export const NOT_KNOWN =
  "Whoever answers there has another certificate than gateway.tls.certPath has now, or that cannot be read: it got no " +
  "token, and tells what anyone may know.";

/** A gateway that answers where this config has one. */
export interface FoundGateway {
  url: string;
  door: GatewayDoor;
  state: "ready" | "starting" | "draining";
  /** What this user has to show; without a token in mode none, `undefined` where there is nothing. */
  credential: { token: string | undefined } | undefined;
}

/**
 * Looks for the gateway of this config, without telling anybody a secret.
 *
 * @param scopes those that a key of the config must have to be taken where the gateway's own token is not to be had
 * @returns what is there instead, where there is none. Never rejects.
 */
export async function findGateway(
  loaded: LoadedConfig,
  { scopes, signal }: { scopes: readonly Scope[]; signal: AbortSignal },
): Promise<FoundGateway | Finding> {
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
    return { url, door, state, credential: await findCredential(loaded, scopes) };
  } catch (error) {
    return { url, ...toFinding(error, signal) };
  }
}

/** What anyone may know; `undefined` when it is not a gateway that answers. */
async function readState(door: GatewayDoor, signal: AbortSignal): Promise<FoundGateway["state"] | undefined> {
  const { json } = await askGateway(door, "/readyz", { signal });
  return readySchema.safeParse(json).data?.status;
}

/** `undefined` where this user has none; without a token in mode none. */
async function findCredential(
  { config, env }: LoadedConfig,
  scopes: readonly Scope[],
): Promise<FoundGateway["credential"]> {
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
  const key = auth.keys.find(
    (each) => each.token !== undefined && scopes.every((scope) => each.scopes.includes(scope)),
  );
  return key && { token: key.token };
}

/** What an error of asking says about who is there. */
export function toFinding(error: unknown, signal: AbortSignal): Pick<Finding, "state" | "message"> {
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

import { hash } from "node:crypto";
import type { Environment } from "../config/env.ts";
import type { Config } from "../config/schema.ts";
import { MIN_TOKEN } from "../config/schema-auth.ts";
import { ConfigError } from "../errors/config-error.ts";
import { createTokenFile, readTokenFile, type TokenFile } from "./token-file.ts";

/** What a caller has to know. */
export type Credentials =
  | SecretCredentials
  /** A proxy has asked already. */
  | { readonly mode: "trusted-proxy" }
  | { readonly mode: "none" };

interface SecretCredentials {
  readonly mode: "token" | "password";
  /** SHA-256, so that comparing takes the same time whatever is sent. */
  readonly digest: Buffer;
  /** For the redactor alone. Never to be logged or printed. */
  readonly secret: string;
  readonly source: "config" | "environment" | "generated";
  /** The file the token is kept in, when the gateway made it. */
  readonly tokenFile?: string;
}

export interface CredentialsOptions {
  /** With what flags say already in it: flags beat the config. */
  auth: Pick<Config["gateway"]["auth"], "mode" | "token" | "password" | "trustedProxy">;
  env: Pick<Environment, "token" | "password">;
  /** Where a generated token is kept. */
  stateDir: string;
  /** Whether the gateway can only be reached from this machine. */
  loopback: boolean;
}

/**
 * Settles how callers authenticate: a value of the config, else of the environment, else, on loopback, a random token
 * in the state folder. An explicit mode `token` takes the token of the state folder on any address, if it has one.
 *
 * @throws ConfigError when the gateway would be open to others, or the mode lacks what it needs
 */
export async function resolveCredentials(options: CredentialsOptions): Promise<Credentials> {
  return (await findCredentials(options)) ?? fromFile(await createTokenFile(options.stateDir));
}

/** Like {@link resolveCredentials}, but makes nothing: `undefined` where a token would be made. */
export async function findCredentials({
  auth,
  env,
  stateDir,
  loopback,
}: CredentialsOptions): Promise<Credentials | undefined> {
  const mode = auth.mode ?? inferMode(auth, env);
  if (auth.trustedProxy && mode !== "trusted-proxy") throw new ConfigError(UNUSED_PROXY);
  if (mode === "none") {
    if (loopback) return { mode };
    throw new ConfigError(`gateway.auth.mode "none" is only possible with gateway.bind "loopback". ${HOW_TO_SET}.`);
  }
  if (mode === "trusted-proxy") return { mode };
  if (auth[mode] !== undefined) return toCredentials(mode, auth[mode], "config");
  if (env[mode] !== undefined) return toCredentials(mode, env[mode], "environment");
  if (mode === "password") throw new ConfigError(NO_PASSWORD);
  // A token is made where nothing is set, not where something is set that the mode does not use.
  if (auth.password !== undefined) throw new ConfigError(ONLY_PASSWORD);
  const file = loopback || auth.mode === "token" ? await readTokenFile(stateDir) : undefined;
  if (file !== undefined) return fromFile(file);
  if (loopback) return undefined;
  throw new ConfigError(`The gateway would be open to other machines. ${HOW_TO_SET}, or gateway.bind to "loopback".`);
}

const HOW_TO_SET = "Set gateway.auth.token or OPENCLAW_GATEWAY_TOKEN (or gateway.auth.password)";
const NO_PASSWORD =
  'gateway.auth.mode is "password", but there is none: set gateway.auth.password or OPENCLAW_GATEWAY_PASSWORD';
const UNUSED_PROXY =
  'gateway.auth.trustedProxy is only used with gateway.auth.mode "trusted-proxy": set the mode, or remove the block';
const ONLY_PASSWORD =
  'gateway.auth.mode is "token", but only gateway.auth.password is set: set gateway.auth.token, or the mode to "password"';

/** The config is asked first, then the environment; of two in one place the token wins. */
function inferMode(...sources: { token?: string | undefined; password?: string | undefined }[]): "token" | "password" {
  for (const { token, password } of sources) {
    if (token !== undefined) return "token";
    if (password !== undefined) return "password";
  }
  return "token";
}

function toCredentials(
  mode: "token" | "password",
  secret: string,
  source: "config" | "environment" | "generated",
): SecretCredentials {
  // Flags come here unchecked, and a header's value comes trimmed: an untrimmed secret would shut everyone out.
  const text = secret.trim();
  if (text === "") throw new ConfigError(`The gateway's ${mode} is empty.`);
  return { mode, digest: hash("sha256", text, "buffer"), secret: text, source };
}

/** Whether somebody who tries long enough finds it: a password, or a token that is as short as one. */
export function isGuessable(credentials: Credentials): boolean {
  return credentials.mode === "password" || isShortToken(credentials);
}

/** Whether the gateway's token is shorter than a key's may be. */
export function isShortToken(credentials: Credentials): boolean {
  return credentials.mode === "token" && credentials.secret.length < MIN_TOKEN;
}

export const SHORT_TOKEN =
  `the gateway's token has less than ${MIN_TOKEN} characters and can be guessed: during a lockout it is not served ` +
  "either. Take a longer one";

function fromFile({ path, token }: TokenFile): SecretCredentials {
  return { ...toCredentials("token", token, "generated"), tokenFile: path };
}

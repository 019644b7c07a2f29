import type { Environment } from "./env.ts";
import type { Config } from "./schema.ts";

export interface SecretSources {
  config: Pick<Config, "gateway" | "mcp" | "models">;
  env: Pick<Environment, "token" | "password" | "variables">;
  /** What `resolveCredentials` settled on: a generated token stands in no config. */
  credentials?: { readonly secret?: string } | undefined;
  /** Environment variables with providers' keys, in use or not: `KEY_VARIABLES` of `models/known-providers.ts`. */
  keyVariables?: readonly string[];
}

/** Variables, and parts of a URL's query, whose values are none of anybody's business, however short. */
const SECRET_NAME = /key|token|secret|password|passwd|credential|auth/i;
/** Beside one that is named so, a value like a path is one. */
const PATH_NAME = /(?:file|path|dir|folder|credentials?)$/i;
const PATH = /^(?:\/|[a-z]:[\\/])/i;
/** Taking one of these out of every text would hide nothing and garble much. */
const OPEN_VALUE = /^(?:[+-]?\d+(?:\.\d+)?|true|false|yes|no|on|off|enabled|disabled|null|none|undefined)$/i;
/** A shorter value whose name says nothing is a word. */
const MIN_UNNAMED = 8;
const MIN_TOKEN = 16;

/** Headers that providers are often given and that say nothing secret. Taking `chat` out of every message would hurt. */
const OPEN_HEADERS = new Set(["accept", "content-type", "http-referer", "referer", "user-agent", "x-title"]);

/** Everything configured that must not appear in an answer or a log. */
export function collectSecrets({ config, env, credentials, keyVariables = [] }: SecretSources): string[] {
  const { auth } = config.gateway;
  const own = [
    auth.token,
    auth.password,
    env.token,
    env.password,
    credentials?.secret,
    ...auth.keys.map(({ token }) => token),
  ];
  const ofProviders = Object.entries(config.models.providers).flatMap(([id, { apiKey, headers }]) => [
    // Servers that want no key are often given their own name as one.
    apiKey === id ? undefined : apiKey,
    ...secretHeaders(headers),
  ]);
  const ofServers = Object.values(config.mcp.servers).flatMap((server) =>
    "url" in server
      ? [...secretHeaders(server.headers), ...inUrl(server.url)]
      : [...Object.entries(server.env).flatMap(secretVariable), ...server.args.flatMap(inUrl)],
  );
  const ofEnvironment = keyVariables.map((name) => env.variables[name]?.trim());
  const secrets = [...own, ...ofProviders, ...ofServers, ...ofEnvironment];
  return [...new Set(secrets.filter((secret) => secret !== undefined).filter((secret) => secret !== ""))];
}

function secretHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (OPEN_HEADERS.has(name.toLowerCase()) ? [] : [value]));
}

/** A server's own variables are mostly there because of a secret, and their names do not always say so. */
function secretVariable([name, value]: readonly [name: string, value: string]): string[] {
  if (OPEN_VALUE.test(value)) return [];
  const parts = inUrl(value);
  if (URL.canParse(value) && value.includes("://")) return parts.length > 0 ? [value, ...parts] : [];
  if (SECRET_NAME.test(name) && !PATH_NAME.test(name)) return [value];
  return value.length < MIN_UNNAMED || PATH.test(value) ? [] : [value];
}

/** What gives access in a URL: `user:password@`, and parts of its query that are named so. None in any other text. */
function inUrl(text: string): string[] {
  if (!text.includes("://") || !URL.canParse(text)) return [];
  const { username, password, searchParams } = new URL(text);
  // Alone, a name is one unless it is as long as a token.
  const credential = password || (username.length < MIN_TOKEN ? "" : username);
  const named = [...searchParams].flatMap(([name, value]) =>
    SECRET_NAME.test(name) && !OPEN_VALUE.test(value) ? [value] : [],
  );
  return [...(credential === "" ? [] : [credential, decode(credential)]), ...named];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

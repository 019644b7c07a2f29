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

/** Variables of an MCP server's, and parts of its URL's query, whose values are none of anybody's business. */
const SECRET_NAME = /key|token|secret|password|passwd|credential|auth/i;

/** Headers that providers are often given and that say nothing secret. Taking `chat` out of every message would hurt. */
const OPEN_HEADERS = new Set(["accept", "content-type", "http-referer", "referer", "user-agent", "x-title"]);

/** Everything configured that must not appear in an answer or a log. */
export function collectSecrets({ config, env, credentials, keyVariables = [] }: SecretSources): string[] {
  const { auth } = config.gateway;
  const own = [auth.token, auth.password, env.token, env.password, credentials?.secret];
  const ofProviders = Object.entries(config.models.providers).flatMap(([id, { apiKey, headers }]) => [
    // Servers that want no key are often given their own name as one.
    apiKey === id ? undefined : apiKey,
    ...secretHeaders(headers),
  ]);
  const ofServers = Object.values(config.mcp.servers).flatMap((server) =>
    "url" in server
      ? [...secretHeaders(server.headers), ...named([...new URL(server.url).searchParams])]
      : named(Object.entries(server.env)),
  );
  const ofEnvironment = keyVariables.map((name) => env.variables[name]?.trim());
  const secrets = [...own, ...ofProviders, ...ofServers, ...ofEnvironment];
  return [...new Set(secrets.filter((secret) => secret !== undefined).filter((secret) => secret !== ""))];
}

function secretHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (OPEN_HEADERS.has(name.toLowerCase()) ? [] : [value]));
}

function named(entries: readonly (readonly [name: string, value: string])[]): string[] {
  return entries.flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : []));
}

import type { Environment } from "./env.ts";
import type { Config } from "./schema.ts";

export interface SecretSources {
  config: Pick<Config, "gateway" | "models">;
  env: Pick<Environment, "token" | "password" | "variables">;
  /** What `resolveCredentials` settled on: a generated token stands in no config. */
  credentials?: { readonly secret?: string } | undefined;
  /** Environment variables with providers' keys, in use or not: `KEY_VARIABLES` of `models/known-providers.ts`. */
  keyVariables?: readonly string[];
}

/** Headers that providers are often given and that say nothing secret. Taking `chat` out of every message would hurt. */
const OPEN_HEADERS = new Set(["accept", "content-type", "http-referer", "referer", "user-agent", "x-title"]);

/** Everything configured that must not appear in an answer or a log. */
export function collectSecrets({ config, env, credentials, keyVariables = [] }: SecretSources): string[] {
  const { auth } = config.gateway;
  const own = [auth.token, auth.password, env.token, env.password, credentials?.secret];
  const ofProviders = Object.entries(config.models.providers).flatMap(([id, { apiKey, headers }]) => [
    // Servers that want no key are often given their own name as one.
    apiKey === id ? undefined : apiKey,
    ...Object.entries(headers).map(([name, value]) => (OPEN_HEADERS.has(name.toLowerCase()) ? undefined : value)),
  ]);
  const ofEnvironment = keyVariables.map((name) => env.variables[name]?.trim());
  const secrets = [...own, ...ofProviders, ...ofEnvironment];
  return [...new Set(secrets.filter((secret) => secret !== undefined).filter((secret) => secret !== ""))];
}

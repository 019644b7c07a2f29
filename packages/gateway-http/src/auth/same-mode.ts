import { type Credentials, type CredentialsOptions, findCredentials, resolveCredentials } from "./credentials.ts";

/**
 * What callers have to know by another config.
 * @returns `undefined` when its mode is not the running one: browsers are kept out by it from the start
 * @throws ConfigError as `resolveCredentials` does
 */
export async function resolveInMode(
  mode: Credentials["mode"],
  options: CredentialsOptions,
): Promise<Credentials | undefined> {
  const found = await findCredentials(options);
  // Where nothing is found a token would be made, and only then is one.
  if ((found?.mode ?? "token") !== mode) return undefined;
  return found ?? resolveCredentials(options);
}

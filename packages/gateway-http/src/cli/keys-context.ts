import type { Environment } from "../config/env.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Variables } from "../config/substitute.ts";
import { ConfigError } from "../errors/config-error.ts";
import type { Output } from "./output.ts";

export interface KeysContext {
  env: Environment;
  /** The file, as `--config` gives it. */
  path?: string | undefined;
  stdout: Output;
  /** Words for people: what is printed on `stdout` may be taken by a script. */
  stderr: Output;
}

/** @throws ConfigError when the config is wrong or not there */
export async function openConfig(
  context: Pick<KeysContext, "env" | "path">,
): Promise<{ path: string; config: Config; variables: Variables }> {
  const { env } = context;
  const { path, config } = await loadConfig({ path: context.path, env, lenient: true });
  if (path === undefined) throw new ConfigError(`${env.configPath}: no config yet. Make one: openclaw-gateway init`);
  return { path, config, variables: env.variables };
}

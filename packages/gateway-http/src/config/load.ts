import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError } from "../errors/config-error.ts";
import { type Environment, readEnvironment } from "./env.ts";
import { readJson5 } from "./json5.ts";
import { type ParsedConfig, parseConfig } from "./parse.ts";
import type { Config } from "./schema.ts";
import { createStandIns } from "./stand-ins.ts";

export interface LoadConfigOptions {
  /** The config file, as `--config` gives it. Beats `OPENCLAW_CONFIG_PATH`, and has to be there. */
  path?: string | undefined;
  /** Default: read from `process.env`. */
  env?: Environment | undefined;
  /** For whoever only asks about the config: variables that it names need not be set. Default: they have to be. */
  lenient?: boolean | undefined;
}

export interface LoadedConfig {
  /** The file's config with the defaults, and with `OPENCLAW_GATEWAY_PORT` applied, which beats the file. */
  readonly config: Config;
  /** The file that was read; `undefined` when there is none. */
  readonly path: string | undefined;
  /** When the file was last changed, or this process started if there is none. Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** One line for each kind of key that was passed over. */
  readonly notices: string[];
  readonly env: Environment;
}

/**
 * Reads the config file (JSON5). A file at the default place may be missing: then the defaults apply.
 *
 * @throws {@link ConfigError} naming the file and every problem in it.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const env = options.env ?? readEnvironment();
  const path = options.path === undefined ? env.configPath : resolve(options.path);
  const file = await readConfigFile(path, options.path !== undefined || env.configPathIsExplicit);
  const { config, notices } = file === undefined ? parseConfig({}) : parseFile(path, file.text, env, options);
  return {
    config: env.port === undefined ? config : { ...config, gateway: { ...config.gateway, port: env.port } },
    path: file === undefined ? undefined : path,
    modifiedAt: Math.round(file?.modifiedAt ?? performance.timeOrigin),
    notices,
    env,
  };
}

/** @throws {@link ConfigError} naming the file and every problem in it. */
export function parseFile(
  path: string,
  text: string,
  env: Pick<Environment, "variables">,
  { lenient = false }: Pick<LoadConfigOptions, "lenient"> = {},
): ParsedConfig {
  const { value, locate } = readJson5(text, path);
  try {
    return parseConfig(value, locate, env.variables, lenient ? createStandIns() : undefined);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${path}:\n${error.message.replace(/^/gm, "  ")}`, { cause: error });
  }
}

async function readConfigFile(
  path: string,
  required: boolean,
): Promise<{ text: string; modifiedAt: number } | undefined> {
  try {
    const file = await open(path);
    // One handle for both, so that text and time are of the same file.
    try {
      return { text: await file.readFile("utf8"), modifiedAt: (await file.stat()).mtimeMs };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !required) return undefined;
    throw new ConfigError(`${path}: ${reasonOf(error, code)}`, { cause: error });
  }
}

function reasonOf(error: unknown, code: string | undefined): string {
  if (code === "ENOENT") return "there is no such config file";
  if (code === "EISDIR") return "this is a folder, not a config file";
  if (code === "EACCES" || code === "EPERM") return "this config file may not be read by this user";
  return `this config file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

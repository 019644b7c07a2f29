import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createTokenFile } from "../auth/token-file.ts";
import type { Environment } from "../config/env.ts";
import { configTemplate } from "./config-template.ts";
import type { Output } from "./output.ts";

export interface InitOptions {
  env: Pick<Environment, "configPath" | "stateDir">;
  /** Whether the next command must be told where the config is. */
  isElsewhere?: boolean;
  /** Whether a config that is there may be overwritten. The token is kept either way. */
  force: boolean;
  stdout: Output;
}

/**
 * Writes a commented config with the endpoint switched on, and makes the token, in its own file.
 *
 * @returns the exit code: 0, or 1 when there is a config already
 */
export async function runInit({ env, isElsewhere = false, force, stdout }: InitOptions): Promise<number> {
  const { configPath, stateDir } = env;
  await mkdir(dirname(configPath), { recursive: true, mode: 0o700 });
  const flags = isElsewhere ? ` --config ${quote(configPath)}` : "";
  const text = configTemplate({ stateDir, flags });
  if (force) await replaceFile(configPath, text);
  else if (!(await createFile(configPath, text))) {
    stdout.write(`${configPath} is there already; nothing was changed. Use --force to overwrite it.\n`);
    return 1;
  }
  const token = await createTokenFile(stateDir);
  stdout.write(
    `Wrote ${configPath}\n` +
      `${token.created ? "Made a token:" : "Kept the token:"} ${token.path}\n` +
      `Start the gateway with: openclaw-gateway${flags}\n`,
  );
  return 0;
}

/** For a shell. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** By renaming: whoever reads the file never sees half of it, and the new one's permissions are our own. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(draft, text, { flag: "wx", mode: 0o600 });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../errors/config-error.ts";

export interface TokenFile {
  readonly path: string;
  readonly token: string;
  /** Whether it was made just now, not found. */
  readonly created: boolean;
}

/** Where the token of a state folder is kept. */
export function tokenFilePath(stateDir: string): string {
  return join(stateDir, "gateway-token");
}

/**
 * The token of a state folder: the one that is there, else a new one of 32 random bytes, base64url. Of two processes
 * that make it at the same time, both get the same.
 *
 * @throws ConfigError when the folder or the file cannot be used
 */
export async function createTokenFile(stateDir: string): Promise<TokenFile> {
  const path = tokenFilePath(stateDir);
  const found = await readTokenFile(stateDir);
  if (found !== undefined) return found;
  const token = randomBytes(32).toString("base64url");
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    if (await publish(path, `${token}\n`)) return { path, token, created: true };
  } catch (error) {
    throw new ConfigError(`${path}: the token cannot be stored: ${messageOf(error)}`, { cause: error });
  }
  const theirs = await readTokenFile(stateDir);
  if (theirs === undefined) throw new ConfigError(`${path}: another process made this file and took it away again`);
  return theirs;
}

/**
 * The token of a state folder, if it has one. Permissions wider than the owner's are taken back.
 *
 * @throws ConfigError when the file is there and cannot be used
 */
export async function readTokenFile(stateDir: string): Promise<TokenFile | undefined> {
  const path = tokenFilePath(stateDir);
  const token = await readPrivate(path);
  if (token === undefined) return undefined;
  if (!/^\S+$/.test(token)) throw new ConfigError(`${path}: this is no token; delete the file to get a new one`);
  return { path, token, created: false };
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    // Windows has no such permissions: every file would look too open.
    if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError(`${path}: the token cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Makes a file with all its content or not at all; `false` when there is one already. */
async function publish(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, fails where the name is taken.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") throw error;
      // No hard links on this file system.
      return rename(draft, path);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

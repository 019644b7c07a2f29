import { chmodSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { OpenOptions } from "./operations.ts";

/** Thrown when another process has the folder. */
export class LockedError extends Error {}

/**
 * Takes the folder for this process, until it ends or closes: a lock of the operating system, which nobody has to clean
 * up after a crash. It is on a file of its own, so that others may read the database meanwhile.
 */
export function lock({ folder, lockTimeoutMs }: OpenOptions): DatabaseSync {
  const holder = new DatabaseSync(createPrivate(join(folder, "gateway.lock")), { timeout: lockTimeoutMs });
  try {
    holder.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    holder.close();
    throw (error as { errcode?: number }).errcode === 5 ? new LockedError("another process uses this folder") : error;
  }
  return holder;
}

/**
 * For this user only, before anything is in it. The files SQLite puts beside it get the same mode. A file that is there
 * is not opened: to close it again would take back every lock that this process has on it.
 */
export function createPrivate(path: string): string {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    chmodSync(path, 0o600);
  }
  return path;
}

import { isUtf8 } from "node:buffer";
import { chmod, chown, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { EditError } from "./edit-error.ts";

/** Another edit takes a moment; milliseconds, and how often to look. */
const LOCK_POLL_MS = 50;
const LOCK_POLLS = 40;
/** How often to begin again when somebody else writes the file meanwhile. */
const MAX_TRIES = 3;

/**
 * Puts another text in the place of a file's, whole or not at all, with the same permissions and owner; of a symbolic
 * link, the file it leads to is replaced. Edits that run at the same time wait for each other, and what an editor saves
 * meanwhile is not lost: the edit is done again on that.
 *
 * @param edit from the text to the new one, or to `undefined` when there is nothing to change; may be called again
 * @returns whether it was changed
 * @throws EditError when it cannot be done; what `edit` throws
 */
export async function editFile(path: string, edit: (text: string) => string | undefined): Promise<boolean> {
  try {
    const target = await realpath(path);
    return await withLock(`${target}.lock`, (draft) => replace(target, draft, edit));
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    throw code !== undefined && syscall !== undefined ? new EditError(message, { cause: error }) : error;
  }
}

async function replace(target: string, draft: string, edit: (text: string) => string | undefined): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await readFile(target);
    // Read as UTF-8 all the same, other bytes would be lost when it is written.
    if (!isUtf8(before)) throw new EditError("its text is not UTF-8");
    const text = edit(before.toString("utf8"));
    if (text === undefined) return false;
    await write(draft, text, target);
    if (!(await readFile(target)).equals(before)) continue;
    await rename(draft, target);
    return true;
  }
  throw new EditError("somebody else goes on writing it");
}

async function write(path: string, text: string, like: string): Promise<void> {
  await writeFile(path, text, { flush: true });
  const [made, { uid, gid, mode }] = await Promise.all([stat(path), stat(like)]);
  // Before the mode, which a change of owner may narrow. Whoever runs the gateway has to be able to read it still.
  if (made.uid !== uid || made.gid !== gid) await chown(path, uid, gid);
  await chmod(path, mode & 0o7777);
}

/** The file that is the lock is also the draft of the new text: renaming it does both at once. */
async function withLock(path: string, run: (path: string) => Promise<boolean>): Promise<boolean> {
  await lock(path);
  // Once it is renamed, a file of this name is another edit's.
  let isRenamed = false;
  try {
    isRenamed = await run(path);
    return isRenamed;
  } finally {
    if (!isRenamed) await rm(path, { force: true });
  }
}

async function lock(path: string): Promise<void> {
  for (let polls = 0; polls < LOCK_POLLS; polls++) {
    try {
      return await (await open(path, "wx", 0o600)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      await wait(LOCK_POLL_MS);
    }
  }
  throw new EditError(`another edit seems to be under way; if there is none, delete ${path}`);
}

import { EditError } from "../config/edit-error.ts";
import { editFile } from "../config/edit-file.ts";
import { removeKey } from "../config/edit-keys.ts";
import { addKeyCommand } from "./keys-add.ts";
import { type KeysContext, openConfig } from "./keys-context.ts";
import { listKeysCommand } from "./keys-list.ts";
import { type Options, UsageError } from "./options.ts";

/**
 * `keys add ID`, `keys list`, `keys revoke ID`: the keys in `gateway.auth.keys` of the config file.
 * @param words what follows `keys`
 * @returns the exit code: 0, or 1 when nothing was changed
 * @throws UsageError; ConfigError when the config is wrong or not there
 */
export async function runKeys(words: readonly string[], options: Options, context: KeysContext): Promise<number> {
  const [command, id, ...more] = words;
  const isList = command === "list";
  if (more.length > 0 || (isList && id !== undefined)) throw new UsageError("Too many words after keys.");
  if (isList) return listKeysCommand({ json: options.json ?? false }, context);
  if (command !== "add" && command !== "revoke") throw new UsageError("keys is followed by add, list or revoke.");
  if (id === undefined) throw new UsageError(`Which key? openclaw-gateway keys ${command} ID`);
  return command === "add" ? addKeyCommand(id, options, context) : revoke(id, context);
}

async function revoke(id: string, context: KeysContext): Promise<number> {
  const { stderr } = context;
  const { path, variables } = await openConfig(context);
  let isThere: boolean;
  try {
    isThere = await editFile(path, (text) => removeKey({ path, text, variables }, id));
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    stderr.write(`${path} cannot be edited: ${error.message}.\n`);
    stderr.write(`Nothing was changed. Take the key "${id}" out of gateway.auth.keys by hand.\n`);
    return 1;
  }
  stderr.write(isThere ? `Revoked the key "${id}" in ${path}.\n` : `There is no key "${id}"; nothing was changed.\n`);
  return isThere ? 0 : 1;
}

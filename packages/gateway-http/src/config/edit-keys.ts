import { isDeepStrictEqual } from "node:util";
import { EditError } from "./edit-error.ts";
import { appendToList, removeFromList } from "./edit-json5.ts";
import { readJson5 } from "./json5.ts";
import { parseFile } from "./load.ts";
import type { Config } from "./schema.ts";
import type { Scope } from "./schema-auth.ts";
import type { Variables } from "./substitute.ts";

const PATH = ["gateway", "auth", "keys"];

/** A key as it stands in the file. */
export interface KeyEntry {
  readonly id: string;
  readonly tokenHash: string;
  readonly agents?: readonly string[];
  readonly scopes?: readonly Scope[];
  readonly expiresAt?: string;
  readonly limits?: { readonly requestsPerMinute?: number; readonly concurrentRuns?: number };
}

/** A config file's text. */
export interface ConfigText {
  /** Its name, for messages. */
  readonly path: string;
  readonly text: string;
  readonly variables: Variables;
}

/**
 * The file's text with one more key, or `undefined` when there is one of this id.
 * @throws ConfigError when the config is wrong; EditError when the text cannot be edited safely
 */
export function addKey(file: ConfigText, key: KeyEntry): string | undefined {
  const { keys } = readKeys(file);
  if (keys.some(({ id }) => id === key.id)) return undefined;
  return checked(file, appendToList(file.text, PATH, key), (list) => [...list, structuredClone(key)]);
}

/**
 * The file's text without a key, or `undefined` when there is none of this id.
 * @throws like {@link addKey}
 */
export function removeKey(file: ConfigText, id: string): string | undefined {
  const index = readKeys(file).keys.findIndex((key) => key.id === id);
  if (index === -1) return undefined;
  return checked(file, removeFromList(file.text, PATH, index), (list) => list.toSpliced(index, 1));
}

/** The variables that a running gateway has in its environment, whoever edits its keys need not have. */
function readKeys({ path, text, variables }: ConfigText): Config["gateway"]["auth"] {
  return parseFile(path, text, { variables }, { lenient: true }).config.gateway.auth;
}

/** Reads the new text again: it has to say what was meant, and nothing else. */
function checked(file: ConfigText, edited: string, change: (keys: unknown[]) => unknown[]): string {
  const meant = readJson5(file.text, file.path).value as Record<string, unknown>;
  let at = meant;
  for (const name of PATH.slice(0, -1)) {
    at[name] ??= {};
    at = at[name] as Record<string, unknown>;
  }
  at.keys = change((at.keys ?? []) as unknown[]);
  let written: unknown;
  try {
    written = readJson5(edited, file.path).value;
  } catch (error) {
    throw new EditError("its text is too unusual to be edited", { cause: error });
  }
  if (!isDeepStrictEqual(written, meant)) throw new EditError("its text is too unusual to be edited");
  readKeys({ ...file, text: edited });
  return edited;
}

import { distance } from "fastest-levenshtein";
import { knownPatterns, patternOf } from "./known-keys.ts";
import { type ConfigPath, formatPath } from "./problem.ts";

/** Keys of other programs for what has another name here. */
const FOREIGN: Readonly<Record<string, string>> = { mcpServers: "mcp.servers" };

/**
 * The known key most like an unknown one, as it would be written: a sibling with a slip of the pen, or the same name
 * in another place.
 */
export function suggestKey(path: ConfigPath): string | undefined {
  const key = String(path.at(-1) ?? "");
  if (path.length === 1 && Object.hasOwn(FOREIGN, key)) return FOREIGN[key];
  const parent = path.slice(0, -1).reduce<string>(patternOf, "");
  const { served, others } = knownPatterns();
  const sibling = nearestName(
    key,
    [...served, ...others].filter((pattern) => parentOf(pattern) === parent).map(nameOf),
  );
  const nearby = sibling === undefined ? undefined : formatPath([...path.slice(0, -1), sibling]);
  if (sibling !== undefined && distance(key.toLowerCase(), sibling.toLowerCase()) <= 1) return nearby;
  const elsewhere = served
    .filter((pattern) => nameOf(pattern) === key)
    .sort((a, b) => commonPrefix(b, parent) - commonPrefix(a, parent) || a.length - b.length)[0];
  return elsewhere === undefined ? nearby : elsewhere.replaceAll(".*", "[]");
}

/** The name most like `name`, when it is like it at all: at most a third of the characters (and one) differ. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.ceil(name.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return ranked !== undefined && ranked.distance <= limit ? ranked.candidate : undefined;
}

function parentOf(pattern: string): string {
  return pattern.slice(0, Math.max(0, pattern.lastIndexOf(".")));
}

function nameOf(pattern: string): string {
  return pattern.slice(pattern.lastIndexOf(".") + 1);
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

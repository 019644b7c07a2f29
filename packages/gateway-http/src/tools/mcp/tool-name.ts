import { createHash } from "node:crypto";

/** What providers take as the longest name of a function. */
const MAX_LENGTH = 64;
const HASH_LENGTH = 8;

/**
 * What a model calls a server's tool: `<server>__<tool>`, with `_` for what no provider takes. A longer name is cut and
 * ends with a hash of the whole, so that it stays the same and two that begin alike stay two.
 */
export function toToolName(server: string, tool: string): string {
  const name = `${server}__${tool}`;
  const plain = name.replace(/[^A-Za-z0-9_-]/g, "_");
  if (plain.length <= MAX_LENGTH) return plain;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  return `${plain.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}

import { createHash } from "node:crypto";
import { byName } from "../join-tools.ts";
import type { Tool } from "../tool.ts";
import { readParameters } from "../tool-parameters.ts";
import type { ListedTool } from "./list-tools.ts";
import type { ServerConnection } from "./server-connection.ts";

/** What providers take as the longest name of a function. */
const MAX_NAME_LENGTH = 64;
const HASH_LENGTH = 8;
/** Of a description; it goes to the model with every request. */
const MAX_DESCRIPTION_BYTES = 8 * 1024;
/** Of a schema as JSON. A cut one would be another one. */
const MAX_SCHEMA_BYTES = 64 * 1024;

type Server = Pick<ServerConnection, "name" | "tools" | "call">;

/** A tool of a server's that no agent gets. */
export interface LeftOut {
  readonly tool: string;
  readonly reason: string;
}

/**
 * What servers list as tools of an agent, sorted by name. Of two of one name the first holds.
 * @param tell is told of each server, and which tools of it are left out: none, mostly
 */
export function toTools(
  servers: readonly Server[],
  tell: (server: string, leftOut: readonly LeftOut[]) => void,
): readonly Tool[] {
  const named = new Map<string, Tool>();
  for (const server of servers) {
    const leftOut: LeftOut[] = [];
    // By code units: the same everywhere, unlike an order of some language.
    const listed = server.tools.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
    for (const tool of listed) {
      const made = toTool(tool, server);
      if ("reason" in made) leftOut.push({ tool: tool.name, reason: made.reason });
      else if (named.has(made.name)) leftOut.push({ tool: tool.name, reason: "another tool has its name" });
      else named.set(made.name, made);
    }
    tell(server.name, leftOut);
  }
  return [...named.values()].sort(byName);
}

function toTool(listed: ListedTool, server: Server): Tool | { readonly reason: string } {
  const read = readParameters(listed.inputSchema);
  if ("problem" in read) return { reason: "its schema is not that of an object" };
  if (Buffer.byteLength(JSON.stringify(read.parameters)) > MAX_SCHEMA_BYTES) {
    return { reason: "its schema is larger than 64 KiB" };
  }
  return {
    name: toToolName(server.name, listed.name),
    description: listed.description === undefined ? undefined : cut(listed.description),
    parameters: read.parameters,
    run: (args, { signal }) => server.call(listed, args, signal),
  };
}

/** As many whole characters as there is room for. Half of one, which providers refuse, becomes `�`. */
function cut(description: string): string {
  const { read } = new TextEncoder().encodeInto(description, new Uint8Array(MAX_DESCRIPTION_BYTES));
  return description.slice(0, read).toWellFormed();
}

/**
 * What a model calls a server's tool: `<server>__<tool>`, with `_` for what no provider takes. A longer name is cut and
 * ends with a hash of the whole, so that it stays the same and two that begin alike stay two.
 */
export function toToolName(server: string, tool: string): string {
  const name = `${server}__${tool}`;
  const plain = name.replace(/[^A-Za-z0-9_-]/g, "_");
  if (plain.length <= MAX_NAME_LENGTH) return plain;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  return `${plain.slice(0, MAX_NAME_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}

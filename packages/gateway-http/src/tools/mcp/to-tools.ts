import type { Tool } from "../tool.ts";
import type { ListedTool } from "./list-tools.ts";
import type { ServerConnection } from "./server-connection.ts";
import { toToolName } from "./tool-name.ts";

type Servers = readonly Pick<ServerConnection, "name" | "tools" | "call">[];

/**
 * What servers list as tools of an agent, sorted by name.
 * @param tell is told of tools that are left out: two of one name, of which the first holds, and those without a schema
 */
export function toTools(servers: Servers, tell: (fields: object, message: string) => void): readonly Tool[] {
  const named = new Map<string, Tool>();
  for (const server of servers) {
    for (const listed of [...server.tools].sort((a, b) => compare(a.name, b.name))) {
      const name = toToolName(server.name, listed.name);
      const fields = { server: server.name, tool: listed.name };
      const parameters = toParameters(listed.inputSchema);
      if (parameters === undefined) tell(fields, "a tool is left out: its schema is not that of an object");
      else if (named.has(name)) tell({ ...fields, name }, "a tool is left out: another one has its name");
      else named.set(name, toTool(name, parameters, listed, server));
    }
  }
  return [...named.values()].sort((a, b) => compare(a.name, b.name));
}

function toTool(name: string, parameters: Tool["parameters"], listed: ListedTool, server: Servers[number]): Tool {
  return {
    name,
    description: listed.description,
    parameters,
    run: (args, { signal }) => server.call(listed, args, signal),
  };
}

function toParameters(schema: unknown): Tool["parameters"] | undefined {
  if (typeof schema !== "object" || schema === null) return undefined;
  // It names the dialect, which some providers refuse and none needs.
  const { $schema: _, ...parameters } = schema as Record<string, unknown>;
  return parameters.type === "object" ? parameters : undefined;
}

/** By code units: the same everywhere, unlike an order of some language. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

import type { Tool, ToolSource } from "./tool.ts";

/** Several sources as one. Of two tools with one name the earlier source's is there. */
export function joinTools(...sources: readonly ToolSource[]): ToolSource {
  return {
    async ready() {
      await Promise.all(sources.map((source) => source.ready()));
    },
    list() {
      const named = new Map<string, Tool>();
      for (const tool of sources.flatMap((source) => source.list())) {
        if (!named.has(tool.name)) named.set(tool.name, tool);
      }
      return [...named.values()].sort(byName);
    },
  };
}

/** The order of tools that have different names. */
export function byName(one: Tool, other: Tool): number {
  return one.name < other.name ? -1 : 1;
}

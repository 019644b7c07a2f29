import type { Config } from "./schema.ts";

interface KeyAgents {
  readonly id: string;
  readonly agents?: readonly string[] | undefined;
}

/** One line for each key that names agents which the config does not have: mistyped, or made by code. */
export function strayAgents({ agents, keys }: { agents: Config["agents"]; keys: readonly KeyAgents[] }): string[] {
  const known = new Set(agents.list.length > 0 ? agents.list.map(({ id }) => id) : ["main"]);
  return keys.flatMap(({ id, agents: named = [] }) => {
    const stray = named.filter((agent) => !known.has(agent));
    return stray.length === 0
      ? []
      : [`the key "${id}" names agents that this config does not have: ${stray.join(", ")}`];
  });
}

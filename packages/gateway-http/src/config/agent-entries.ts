import type { ConfigPath, ConfigProblem } from "./problem.ts";
import { isPlainObject } from "./screen-keys.ts";

export interface ListedAgents {
  /** The config with `agents.list` in the place of `agents.entries`. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Where something under `agents.list` stood before; other paths come back as they are. */
  readonly originalPath: (path: ConfigPath) => ConfigPath;
}

const PATH = ["agents", "entries"];

/** Makes a list of `agents.entries`, OpenClaw's other way to write agents: an object keyed by agent id. */
export function listAgentEntries(value: unknown): ListedAgents {
  const originalPath = (path: ConfigPath) => path;
  if (!isPlainObject(value) || !isPlainObject(value.agents)) return { value, problems: [], originalPath };
  const { entries, ...agents } = value.agents;
  if (entries === undefined) return { value, problems: [], originalPath };
  const without = { ...value, agents };
  const problem =
    agents.list !== undefined
      ? "give agents.list or agents.entries, not both"
      : isPlainObject(entries)
        ? undefined
        : "expected an object keyed by agent id";
  if (problem !== undefined) return { value: without, problems: [{ path: PATH, message: problem }], originalPath };
  return toList(without, agents, Object.entries(entries as Record<string, unknown>));
}

function toList(config: object, agents: object, entries: [id: string, agent: unknown][]): ListedAgents {
  const list = entries.map(([id, agent]) => (isPlainObject(agent) ? { ...agent, id } : agent));
  const problems = entries
    .filter(([id, agent]) => isPlainObject(agent) && agent.id !== undefined && agent.id !== id)
    .map(([id]) => ({ path: [...PATH, id, "id"], message: `must be left out or be "${id}", the agent's key` }));
  return {
    value: { ...config, agents: { ...agents, list } },
    problems,
    originalPath(path) {
      const [first, second, index, ...rest] = path;
      if (first !== "agents" || second !== "list" || typeof index !== "number") return path;
      const place = [...PATH, entries[index]?.[0] ?? index];
      // The id is the key itself.
      return rest[0] === "id" ? place : [...place, ...rest];
    },
  };
}

import type { GatewayOptions, LoadedConfig } from "@openclaw/gateway-http";
import { counter } from "./counter.ts";
import { workshop } from "./workshop.ts";

/** The playground's own agents beside those of the config, which stay as they would be without them. */
export function withDemoAgents(loaded: LoadedConfig): { config: LoadedConfig } & Pick<GatewayOptions, "agents"> {
  const { agents } = loaded.config;
  const demos = [counter, workshop].filter((demo) => !agents.list.some(({ id }) => id === demo.id));
  if (demos.length === 0) return { config: loaded, agents: [] };
  // A gateway with agents of its own makes no `main` of an empty list, and the first of all agents is the default.
  const { instructions, ...defaults } = agents.defaults;
  const main = { ...defaults, instructions, id: "main", aliases: [], default: true };
  const all = agents.list.length > 0 ? agents.list : [main];
  const hasDefault = all.some((agent) => agent.default || agent.id === "main");
  const list = all.map((agent, index) => (hasDefault || index > 0 ? agent : { ...agent, default: true }));
  return { config: { ...loaded, config: { ...loaded.config, agents: { ...agents, list } } }, agents: demos };
}

import { setTimeout as sleep } from "node:timers/promises";
import { defineAgent, type GatewayOptions, type LoadedConfig } from "@openclaw/gateway-http";

const ID = "counter";
/** About as fast as a person reads. Milliseconds. */
const PAUSE_MS = 100;
const COUNTS_TO = 200;
const COUNTS_AT_MOST = 2_000;

/** An answer that takes its time, and of which anybody sees at once whether something is missing or there twice. */
const counter = defineAgent({
  id: ID,
  name: "Counter",
  description: `counts to ${COUNTS_TO}, or to the number you say, slowly: time to pull the plug.`,
  async *run({ messages }, { signal }) {
    const asked = /\d+/.exec(JSON.stringify(messages.at(-1)?.content))?.[0];
    const end = Math.min(Number(asked ?? COUNTS_TO), COUNTS_AT_MOST);
    for (let number = 1; number <= end; number++) {
      yield number === 1 ? "1" : ` ${number}`;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  },
});

/** The counter beside the agents of the config, which stay as they would be without it. */
export function withCounter(loaded: LoadedConfig): Pick<GatewayOptions, "config" | "agents"> {
  const { agents } = loaded.config;
  if (agents.list.some(({ id }) => id === ID)) return { config: loaded, agents: [] };
  // A gateway with agents of its own makes no `main` of an empty list, and the first of all agents is the default.
  const { instructions, ...defaults } = agents.defaults;
  const main = { ...defaults, instructions, id: "main", aliases: [], default: true };
  const all = agents.list.length > 0 ? agents.list : [main];
  const hasDefault = all.some((agent) => agent.default || agent.id === "main");
  const list = all.map((agent, index) => (hasDefault || index > 0 ? agent : { ...agent, default: true }));
  return { config: { ...loaded, config: { ...loaded.config, agents: { ...agents, list } } }, agents: [counter] };
}

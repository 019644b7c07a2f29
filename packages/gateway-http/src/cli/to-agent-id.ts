import { parseAgentTarget } from "@openclaw/protocol";
import type { Config } from "../config/schema.ts";

/** By which the socket knows an agent; a name that this config does not know is left to the gateway. */
export function toAgentId(name: string, agents: Config["agents"]["list"]): string | undefined {
  const target = parseAgentTarget(name);
  if (target.kind === "default") return undefined;
  if (target.kind === "agent") return target.id;
  return agents.find(({ id, aliases }) => id === target.name || aliases.includes(target.name))?.id ?? target.name;
}

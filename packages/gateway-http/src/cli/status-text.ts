import type { GatewayStatus } from "@openclaw/protocol";

/** What was found where the gateway should be. */
export interface Finding {
  url: string;
  /**
   * `stopped`: nothing listens; `silent`: no answer in time; `foreign`: something else answers; `refused`: it is a
   * gateway and does not know the caller; `unknown`: it cannot be asked.
   */
  state: GatewayStatus["state"] | "stopped" | "silent" | "foreign" | "refused" | "unknown";
  /** What is missing, and what to do. */
  message?: string;
  status?: GatewayStatus;
}

/** For a person: one line, and the rest of what the gateway tells. */
export function toText({ url, state, message, status }: Finding): string {
  if (!status) return `${state} at ${url}${message ? `\n${message}` : ""}\n`;
  const { version, pid, uptime_seconds, runs, lanes, streams, sockets, config, memory } = status;
  const reloaded = config.reloaded_at === null ? "" : `, reloaded ${new Date(config.reloaded_at * 1000).toISOString()}`;
  const rows = [
    ["chat", status.endpoints.chat_completions ? "on" : "off"],
    ["agents", status.agents.map(toAgent).join(", ")],
    ["runs", `${runs.active} active, ${runs.queued} queued, at most ${runs.cap}`],
    ["sessions", `${lanes.busy} busy, ${lanes.waiting} waiting`],
    ["streams", `${streams.open} open`],
    ["sockets", `${sockets.open} open`],
    ["mcp", status.mcp_servers.map(toServer).join(", ")],
    ["config", `${config.path ?? "none"}${reloaded}`],
    ["restart", config.restart_needed.length > 0 ? `needed for ${config.restart_needed.join(", ")}` : ""],
    ["memory", `${Math.round(memory.rss_bytes / 1024 / 1024)} MiB`],
  ].filter(([, text]) => text !== "");
  const head = `${state} at ${url} (version ${version}, process ${pid}, up ${toDuration(uptime_seconds)})`;
  const lines = [head, ...rows.map(([name = "", text]) => `  ${name.padEnd(9)}${text}`), ...(message ? [message] : [])];
  return `${lines.join("\n")}\n`;
}

function toAgent({ id, model, default: isDefault }: GatewayStatus["agents"][number]): string {
  const notes = [...(isDefault ? ["default"] : []), ...(model === null ? [] : [model])];
  return notes.length > 0 ? `${id} (${notes.join(", ")})` : id;
}

function toServer({ name, state, tools }: GatewayStatus["mcp_servers"][number]): string {
  return state === "up" ? `${name} (${tools} tools)` : `${name} is not there`;
}

function toDuration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

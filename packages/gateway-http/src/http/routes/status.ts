import type { GatewayStatus } from "@openclaw/protocol";
import type { FastifyInstance } from "fastify";
import type { Readings } from "../../observe/instruments.ts";
import { VERSION } from "../../version.ts";
import { type Guard, serve } from "../serve.ts";
import type { CurrentSettings } from "../settings.ts";
import type { ReadyState } from "./health.ts";

export interface StatusOptions {
  current: CurrentSettings;
  state: ReadyState;
  readings: Readings;
  servers(): readonly { name: string; up: boolean; tools: number }[];
  config(): ConfigState;
}

/** Where the configuration comes from, and what became of its changes. */
export interface ConfigState {
  path: string | undefined;
  /** Milliseconds since the epoch. */
  reloadedAt?: number | undefined;
  /** Keys whose new values need a restart. */
  restart: readonly string[];
}

/** `GET /status`: how the gateway is, whether or not the endpoint is on. No secret is in it. */
export function addStatusRoute(app: FastifyInstance, guard: Guard, options: StatusOptions): void {
  const startedAt = Date.now();
  const GET = async (_request: unknown, reply: { header(name: string, value: string): unknown }) => {
    reply.header("cache-control", "no-store");
    return readStatus(options, startedAt);
  };
  serve(app, "/status", { GET }, guard);
}

function readStatus({ current, state, readings, servers, config }: StatusOptions, startedAt: number): GatewayStatus {
  const { agents, config: settings } = current();
  const { gateway } = settings;
  const { path, reloadedAt, restart } = config();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    object: "gateway.status",
    version: VERSION,
    pid: process.pid,
    started_at: toSeconds(startedAt),
    uptime_seconds: toSeconds(Date.now() - startedAt),
    state: state.draining ? "draining" : state.starting ? "starting" : "ready",
    endpoints: { chat_completions: gateway.http.endpoints.chatCompletions.enabled },
    agents: agents.all.map((agent) => ({
      id: agent.id,
      model: agent.model ?? null,
      default: agent === agents.default,
    })),
    runs: {
      active: readings.runsActive(),
      queued: readings.queueWaiting(),
      cap: gateway.limits.concurrentRuns,
    },
    lanes: { busy: readings.lanesBusy(), waiting: readings.lanesWaiting() },
    streams: { open: readings.streamsOpen() },
    sockets: { open: readings.socketsOpen() },
    mcp_servers: servers().map(({ name, up, tools }) => ({ name, state: up ? "up" : "down", tools })),
    config: {
      path: path ?? null,
      reloaded_at: reloadedAt === undefined ? null : toSeconds(reloadedAt),
      restart_needed: [...restart],
    },
    memory: { rss_bytes: rss, heap_used_bytes: heapUsed },
  };
}

function toSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}

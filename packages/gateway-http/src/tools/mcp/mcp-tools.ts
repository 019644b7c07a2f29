import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../../config/schema.ts";
import type { Variables } from "../../config/substitute.ts";
import { MAX_TOOLS } from "../policy.ts";
import type { Tool, ToolSource } from "../tool.ts";
import type { ServerConnection } from "./server-connection.ts";
import { createLeftOutTeller } from "./tell-left-out.ts";
import { toTools } from "./to-tools.ts";

/** How long tools that are not there yet are waited for. */
const SETTLE_MS = 5000;

export interface McpToolsOptions {
  readonly servers: Config["mcp"]["servers"];
  /** The gateway's environment. Servers that are started get a few names of it. */
  readonly variables: Variables;
  /** Takes secrets out of what is logged. */
  redact(text: string): string;
  log(level: "info" | "warn", fields: object, message: string): void;
}

/** The tools of all configured MCP servers, as far as these are there. */
export interface McpTools extends ToolSource {
  /** Whether `ready()` has settled: every server has answered or failed to, or 5 s have passed. */
  readonly settled: boolean;
  /** To be told when an agent may use more tools than it can be given. */
  onTooMany(allowed: number): void;
  /** Disconnects, and ends the servers that were started. Takes some 6 s when one does not want to end. */
  close(): Promise<void>;
}

/** Nothing is started or loaded before `ready()` is called, and nothing at all without servers. */
export function createMcpTools({ servers, variables, redact, log }: McpToolsOptions): McpTools {
  const entries = Object.entries(servers);
  const tellLeftOut = createLeftOutTeller(log);
  let toldTooMany = false;
  let settled = entries.length === 0;
  let closed = false;
  let started: Promise<void> | undefined;
  let connecting: Promise<readonly ServerConnection[]> | undefined;
  let connections: readonly ServerConnection[] = [];
  let tools: readonly Tool[] | undefined;

  function onChange(): void {
    tools = undefined;
  }

  /** The SDK takes a fifth of a second and some 30 MB. */
  async function connect(): Promise<readonly ServerConnection[]> {
    const { connectServer } = await import("./server-connection.ts");
    if (closed) return [];
    connections = entries.map(([name, server]) => connectServer({ name, server, variables, redact, log, onChange }));
    return connections;
  }

  async function start(): Promise<void> {
    connecting = connect().catch((error) => {
      log("warn", { reason: redact(String(error)) }, "MCP servers cannot be used");
      return [];
    });
    const tried = connecting.then((all) => Promise.all(all.map((connection) => connection.tried)));
    await Promise.race([tried, delay(SETTLE_MS, undefined, { ref: false })]);
    settled = true;
  }

  return {
    get settled() {
      return settled;
    },
    ready() {
      if (!settled && !closed) started ??= start();
      return started ?? Promise.resolve();
    },
    list() {
      tools ??= toTools(connections, tellLeftOut);
      return tools;
    },
    onTooMany(allowed) {
      if (toldTooMany) return;
      toldTooMany = true;
      log("warn", { allowed, given: MAX_TOOLS }, "an agent has too many tools of MCP servers: choose with tools.allow");
    },
    async close() {
      closed = true;
      const all = (await connecting) ?? [];
      await Promise.all(all.map((connection) => connection.close()));
    },
  };
}

import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
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
  /**
   * Goes on with other servers: those that stay as they are stay connected, those that are gone or are another are
   * disconnected and ended, new ones are there after the next `ready()`. A call of one that is gone fails.
   */
  update(servers: McpToolsOptions["servers"]): void;
  /** Every server of the configuration, there or not. */
  status(): { name: string; up: boolean; tools: number }[];
  /** To be told when an agent may use more tools than it can be given. */
  onTooMany(allowed: number): void;
  /** Disconnects, and ends the servers that were started. Takes some 6 s when one does not want to end. */
  close(): Promise<void>;
}

/** A server as the config says, and the connection to it. */
interface Connected {
  readonly server: Config["mcp"]["servers"][string];
  readonly connection: ServerConnection;
}

/** Nothing is started or loaded before `ready()` is called, and nothing at all without servers. */
export function createMcpTools({ servers, variables, redact, log }: McpToolsOptions): McpTools {
  const tellLeftOut = createLeftOutTeller(log);
  let toldTooMany = false;
  let wanted = servers;
  let settled = isEmpty(servers);
  let closed = false;
  let started: Promise<void> | undefined;
  let library: Promise<typeof import("./server-connection.ts")> | undefined;
  let connected: readonly Connected[] = [];
  const ending = new Set<Promise<void>>();
  let tools: readonly Tool[] | undefined;

  function onChange(): void {
    tools = undefined;
  }

  function find(name: string, server: Connected["server"]): Connected | undefined {
    return connected.find((one) => one.connection.name === name && isDeepStrictEqual(one.server, server));
  }

  function end({ connection }: Connected): void {
    const ended = connection.close().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  /** Ends those that are there and not wanted, starts those that are wanted and not there. */
  async function connect(): Promise<void> {
    const kept = Object.entries(wanted).map(([name, server]) => find(name, server));
    for (const one of connected) if (!kept.includes(one)) end(one);
    connected = kept.filter((one) => one !== undefined);
    onChange();
    if (connected.length === kept.length) return;
    // The SDK takes a fifth of a second and some 30 MB.
    library ??= import("./server-connection.ts");
    const { connectServer } = await library;
    if (closed) return;
    // Those of now: what is wanted may be another while the first who came waited.
    connected = Object.entries(wanted).map(
      ([name, server]) =>
        find(name, server) ?? {
          server,
          connection: connectServer({ name, server, variables, redact, log, onChange }),
        },
    );
  }

  async function start(): Promise<void> {
    const tried = connect().then(
      () => Promise.all(connected.map(({ connection }) => connection.tried)),
      (error) => log("warn", { reason: redact(String(error)) }, "MCP servers cannot be used"),
    );
    await Promise.race([tried, delay(SETTLE_MS, undefined, { ref: false })]);
    settled = true;
  }

  return {
    get settled() {
      return settled;
    },
    ready() {
      if (!closed) started ??= start();
      return started ?? Promise.resolve();
    },
    update(next) {
      if (closed || isDeepStrictEqual(next, wanted)) return;
      wanted = next;
      toldTooMany = false;
      // A gateway that is ready stays so: its agents without new servers' tools answer as before.
      if (started) started = start();
      else settled = isEmpty(next);
    },
    status: () =>
      Object.entries(wanted).map(([name, server]) => {
        const connection = find(name, server)?.connection;
        return { name, up: connection?.up ?? false, tools: connection?.tools.length ?? 0 };
      }),
    list() {
      tools ??= toTools(
        connected.map(({ connection }) => connection),
        tellLeftOut,
      );
      return tools;
    },
    onTooMany(allowed) {
      if (toldTooMany) return;
      toldTooMany = true;
      log("warn", { allowed, given: MAX_TOOLS }, "an agent has too many tools of MCP servers: choose with tools.allow");
    },
    async close() {
      closed = true;
      for (const one of connected) end(one);
      await Promise.all(ending);
    },
  };
}

function isEmpty(servers: McpToolsOptions["servers"]): boolean {
  return Object.keys(servers).length === 0;
}

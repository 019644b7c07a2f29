import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import type { ConfigInput } from "../../src/config/schema.ts";
import type { Variables } from "../../src/config/substitute.ts";
import { createMcpTools, type McpTools } from "../../src/tools/mcp/mcp-tools.ts";
import type { ToolResult } from "../../src/tools/tool.ts";

type Servers = NonNullable<NonNullable<ConfigInput["mcp"]>["servers"]>;

interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** What a server does soon on an idle machine, and in the end on any. */
export const SOON = { timeout: 25_000 };

interface Started {
  tools: McpTools;
  lines: LogLine[];
  names(): string[];
  /** Waits until these tools are there, beside others: `ready()` gives up after 5 s, which a slow machine takes. */
  have(...names: string[]): Promise<void>;
  /** Waits until this tool is there, and calls it. */
  call(name: string, args?: Record<string, unknown>, signal?: AbortSignal): Promise<ToolResult>;
}

/** Tools of the servers of a config, closed when the test is over. Not waited for. */
export function startTools(servers: Servers, variables: Variables = { PATH: process.env.PATH }): Started {
  const lines: LogLine[] = [];
  const tools = createMcpTools({
    servers: parseConfig({ mcp: { servers } }).config.mcp.servers,
    variables,
    redact: (text) => text.replaceAll("sk-secret", "***"),
    log: (level, fields, message) => lines.push({ level, ...fields, message }),
  });
  onTestFinished(() => tools.close());
  const names = () => tools.list().map(({ name }) => name);
  const have = async (...wanted: string[]) => {
    await tools.ready();
    await vi.waitFor(() => expect(names()).toEqual(expect.arrayContaining(wanted)), SOON);
  };
  return {
    tools,
    lines,
    names,
    have,
    async call(name, args = {}, signal = new AbortController().signal) {
      await have(name);
      const tool = tools.list().find((one) => one.name === name);
      if (!tool) throw new Error(`${name} went away again`);
      return tool.run(args, { signal, runId: "r", agentId: "a", sessionKey: "s" });
    },
  };
}

/** A server of the folder `servers`. */
export function byHand(name: string, env?: Record<string, string>) {
  return {
    command: process.execPath,
    args: [join(import.meta.dirname, "servers", `${name}.mjs`)],
    ...(env && { env }),
  };
}

const require = createRequire(import.meta.url);
const MANIFESTS = {
  everything: require.resolve("@modelcontextprotocol/server-everything/package.json"),
  filesystem: require.resolve("@modelcontextprotocol/server-filesystem/package.json"),
  memory: require.resolve("@modelcontextprotocol/server-memory/package.json"),
};

/** The file that a published server's command runs. */
export function published(name: keyof typeof MANIFESTS): string {
  const manifest = MANIFESTS[name];
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  return join(manifest, "..", bin[`mcp-server-${name}`]);
}

/** Whether a process still runs; one that ended but that nobody asked about does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    // Where there is no /proc a process that can be signalled is taken to run.
    return (error as NodeJS.ErrnoException).code === "ENOENT" && process.platform !== "linux";
  }
}

import type { Config } from "../config/schema.ts";
import { strayAgents } from "../config/stray-agents.ts";
import { type KeysContext, openConfig } from "./keys-context.ts";

type Key = Config["gateway"]["auth"]["keys"][number];

/**
 * `keys list`: who may do what, without any token or hash.
 * @returns the exit code
 */
export async function listKeysCommand({ json }: { json: boolean }, context: KeysContext): Promise<number> {
  const { stdout, stderr } = context;
  const { config } = await openConfig(context);
  const { keys } = config.gateway.auth;
  for (const line of strayAgents({ agents: config.agents, keys })) stderr.write(`warning: ${line}\n`);
  if (json) stdout.write(`${JSON.stringify(keys.map(toJson), undefined, 2)}\n`);
  else if (keys.length === 0) stderr.write("There are no keys. To make one: openclaw-gateway keys add ID\n");
  else stdout.write(toTable([HEAD, ...keys.map(toRow)]));
  return 0;
}

const HEAD = ["ID", "AGENTS", "SCOPES", "EXPIRES", "LIMITS", "TOKEN"];

function toRow(key: Key): string[] {
  const { requestsPerMinute, concurrentRuns } = key.limits;
  const limits = [
    requestsPerMinute === undefined ? [] : `${requestsPerMinute} requests/min`,
    concurrentRuns === undefined ? [] : `${concurrentRuns} runs at once`,
  ].flat();
  const expires = key.expiresAt === undefined ? "never" : dateOf(key.expiresAt);
  return [
    key.id,
    key.agents === undefined ? "all" : key.agents.join(", ") || "none",
    key.scopes.join(", ") || "none",
    isExpired(key) ? `${expires} (expired)` : expires,
    limits.join(", ") || "none",
    key.token === undefined ? "hashed" : "plain in the config",
  ];
}

function toJson(key: Key) {
  return {
    id: key.id,
    agents: key.agents ?? null,
    scopes: key.scopes,
    expiresAt: key.expiresAt === undefined ? null : dateOf(key.expiresAt),
    expired: isExpired(key),
    limits: key.limits,
    plainToken: key.token !== undefined,
  };
}

function isExpired({ expiresAt }: Key): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z");
}

function toTable(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

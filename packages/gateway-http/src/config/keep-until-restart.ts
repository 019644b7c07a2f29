import { isDeepStrictEqual } from "node:util";
import type { Config } from "./schema.ts";

/** What a running gateway cannot change: where it listens, what it has open, what it has read once. */
export const FIXED = [
  "gateway.port",
  "gateway.bind",
  "gateway.customBindHost",
  "gateway.trustedProxies",
  "gateway.tls",
  "gateway.auth.rateLimit",
  "gateway.http.resumeWindowMs",
  "sessions.pruneAfter",
  "sessions.maxEntries",
  "sessions.store",
  "logging.format",
] as const;

/**
 * A new config as far as a running gateway can follow it.
 * `gateway.auth.mode` is another one of those, but which it is depends on more than the config: see `auth/same-mode.ts`.
 * @returns `config`, with the running one's values where a restart is needed; `restart`, the keys of which it is
 */
export function keepUntilRestart(running: Config, next: Config): { config: Config; restart: string[] } {
  const config = structuredClone(next);
  const restart = FIXED.filter((path) => {
    const names = path.split(".");
    const last = names.pop() as string;
    const [from, to] = [running, config].map((root) => names.reduce(member, root as unknown));
    if (isDeepStrictEqual(member(from, last), member(to, last))) return false;
    (to as Record<string, unknown>)[last] = member(from, last);
    return true;
  });
  return { config, restart };
}

function member(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

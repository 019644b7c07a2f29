import { findWithdrawn } from "./auth/withdrawn.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { watchConfig } from "./config/watch.ts";
import { GatewayError } from "./errors/gateway-error.ts";
import type { Log } from "./observe/log.ts";
import type { Runs } from "./runs/runs.ts";

export interface FollowOptions {
  /** What is in force. */
  loaded: LoadedConfig;
  /** Puts over the file's config what beats it. */
  prepare(loaded: LoadedConfig): LoadedConfig;
  reload(loaded: LoadedConfig): Promise<{ restart: string[] }>;
  log: Log;
  redact(text: string): string;
}

/**
 * Follows the file of a config, with one line of the log for what became of each change.
 * @returns the function that stops it
 */
export function followConfig({ loaded, prepare, reload, log, redact }: FollowOptions): () => void {
  return watchConfig({
    loaded,
    async apply(next) {
      const { restart } = await reload(prepare(next));
      const notices = next.notices.length > 0 && { notices: next.notices };
      if (restart.length > 0) log.warn({ restart, ...notices }, "config reloaded, but some of it needs a restart");
      else log.info({ ...notices }, "config reloaded");
    },
    onBroken(error) {
      const reason = redact(error instanceof Error ? error.message : String(error));
      log.error({ reason }, "config not reloaded: the one before stays in force");
    },
    onMended() {
      log.info("the config file says again what is in force");
    },
  });
}

/** Ends the runs of keys that are not there any more, or that may no longer do what their runs do. */
export function endWithdrawn(runs: Runs, before: Config, after: Config): void {
  const whyWithdrawn = findWithdrawn(before.gateway.auth, after.gateway.auth);
  if (!whyWithdrawn) return;
  runs.end(({ session, agent }) => {
    const reason = whyWithdrawn(session.owner, agent.id);
    return reason === undefined ? undefined : new GatewayError("run_aborted", reason);
  });
}

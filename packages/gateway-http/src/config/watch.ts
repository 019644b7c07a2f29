import { stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../errors/config-error.ts";
import { type LoadedConfig, loadConfig } from "./load.ts";

/** Milliseconds between two looks. Each is one `stat`, which works where notifications do not: mounts, network disks. */
const INTERVAL_MS = 250;
/** File systems count time in steps of up to 2 s: two changes within one of them can look like one. */
const SETTLE_MS = 2000;

export interface WatchOptions {
  /** What is in force: its file is watched, or the default place where there was none. */
  loaded: LoadedConfig;
  /**
   * Puts what the file says now in force. Called for one change at a time, and not when nothing but the file's time is
   * another.
   * @throws anything, when it cannot be
   */
  apply(loaded: LoadedConfig): Promise<void>;
  /** Told why the file is not in force, once for each reason. */
  onBroken(reason: unknown): void;
  /** The file, which was broken, says what is in force again. */
  onMended(): void;
  /** Milliseconds. @defaultValue 250 */
  intervalMs?: number;
}

/**
 * Follows a config file, whichever way it is changed: written, renamed over, behind a link that moves. What it said
 * last is in force in the end; while it is broken or not there, what it said before is.
 * @returns the function that stops it; it does not keep the process alive by itself
 */
export function watchConfig({ loaded, apply, onBroken, onMended, intervalMs = INTERVAL_MS }: WatchOptions): () => void {
  let current = loaded;
  let seen: string | undefined;
  let lookAgainAt = 0;
  /** Why it cannot be used: seen once, when it may just be half written, and told. */
  let suspected: string | undefined;
  let broken: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    try {
      await refusePipe(current.path ?? current.env.configPath);
      // A file that was there once has to be: without it everything would be as if nothing had ever been said.
      const next = await loadConfig({ path: current.path, env: current.env });
      if (stopped) return;
      const isSame = isDeepStrictEqual(next.config, current.config);
      if (!isSame) await apply(next);
      current = next;
      if (isSame && broken !== undefined) onMended();
      broken = suspected = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (stopped) return;
      const isTold = reason === broken;
      if (!isTold && reason === suspected) {
        broken = reason;
        onBroken(error);
      }
      suspected = reason;
    }
  }

  async function poll(): Promise<void> {
    // The stamp before the text: a change in between shows at the next poll.
    const stamp = await stampOf(current.path ?? current.env.configPath);
    if (stopped) return;
    if (stamp !== seen) {
      seen = stamp;
      lookAgainAt = performance.now() + SETTLE_MS;
      await look();
    } else if (performance.now() >= lookAgainAt) {
      lookAgainAt = Infinity;
      await look();
    } else if (suspected !== broken) await look();
    if (!stopped) timer = setTimeout(poll, intervalMs).unref();
  }

  void poll();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Opening one would wait for whoever writes into it. @throws ConfigError */
async function refusePipe(path: string): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info && !info.isFile() && !info.isDirectory()) throw new ConfigError(`${path}: this is not a file`);
}

/** What another file in its place, or another text in it, has another of. Never rejects. */
async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mode, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mode, mtimeNs, ctimeNs].join(":");
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

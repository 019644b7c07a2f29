import { mkdir } from "node:fs/promises";
import { ConfigError } from "../../errors/config-error.ts";
import { StateLockedError } from "../../errors/state-locked-error.ts";
import { type Addition, anchorOf } from "../entry.ts";
import type { StoreLimits } from "../memory-store.ts";
import { idOfSession, type SessionRef, type SessionStore } from "../store.ts";
import { Transcript } from "../transcript.ts";
import { Connection } from "./connection.ts";
import type { EntryRow, OpenOptions } from "./operations.ts";
import { toInfo, toRow, toTranscript } from "./rows.ts";
import { TranscriptCache } from "./transcript-cache.ts";

export interface SqliteStoreOptions extends StoreLimits, OpenOptions {
  /** Characters of messages kept at hand, each at most two bytes. Default: 16 Mi. */
  maxCached?: number;
}

/** Milliseconds between looks for sessions that are too old or too many. */
const PRUNE_EVERY_MS = 60_000;

/**
 * Sessions in a database in the state folder. This process is its one writer, so what it read or wrote lately it knows:
 * most turns ask the database for nothing before they write.
 */
export function createSqliteStore(options: SqliteStoreOptions): SessionStore {
  const { folder, sync, lockTimeoutMs, maxEntries, pruneAfterMs, now = Date.now } = options;
  const connection = new Connection({ folder, sync, lockTimeoutMs });
  const cache = new TranscriptCache(options.maxCached ?? 16 * 1024 * 1024);
  const staleBefore = () => now() - pruneAfterMs;
  let opened: Promise<void> | undefined;
  let pruning: NodeJS.Timeout | undefined;

  async function start(): Promise<void> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await connection.open();
    } catch (error) {
      if (error instanceof StateLockedError) throw error;
      throw new ConfigError(
        `${folder}: sessions cannot be stored here: ${error instanceof Error ? error.message : error}. Choose a folder with OPENCLAW_STATE_DIR, or set sessions.store.kind to "memory".`,
        { cause: error },
      );
    }
    const pruneQuietly = () => void prune().catch(() => {});
    pruning = setInterval(pruneQuietly, PRUNE_EVERY_MS).unref();
    pruneQuietly();
  }

  function open(): Promise<void> {
    opened ??= start().catch((error) => {
      opened = undefined;
      throw error;
    });
    return opened;
  }

  async function load(id: string, ref: SessionRef): Promise<Transcript | undefined> {
    const answer = await connection.do<"read">({ kind: "read", ...ref, staleBefore: staleBefore() });
    if (!answer) return undefined;
    const known = cache.get(id);
    if (known) cache.set(id, known, sizeOf(answer.entries));
    return toTranscript(answer);
  }

  async function prune(): Promise<void> {
    await open();
    let removed: SessionRef[];
    do {
      removed = await connection.do<"prune">({ kind: "prune", staleBefore: staleBefore(), maxEntries });
      for (const ref of removed) cache.delete(idOfSession(ref));
    } while (removed.length > 0);
  }

  return {
    open,
    prune,
    async read(ref) {
      const id = idOfSession(ref);
      const known = cache.get(id);
      if (known) {
        const transcript = await known;
        if (!transcript || transcript.meta.updatedAt > staleBefore()) return transcript;
        cache.delete(id);
      }
      await open();
      const loading = load(id, ref);
      cache.set(id, loading);
      return loading;
    },
    async append(ref, addition) {
      await open();
      const id = idOfSession(ref);
      const entries = addition.entries.map(toRow);
      const at = now();
      const done = connection.do<"append">({
        kind: "append",
        ...ref,
        agent: addition.agent,
        at,
        anchor: anchorOf(addition),
        staleBefore: staleBefore(),
        entries,
        head: addition.head ?? null,
        carriesHistory: addition.carriesHistory ?? false,
      });
      // In the order of the writes, and seen by nobody before it is written.
      const known = cache.get(id);
      if (known) {
        const grown = Promise.all([known, done]).then(([transcript, isThere]) => {
          if (!isThere) throw new Error("the session is gone");
          return grow(transcript, addition, at);
        });
        cache.set(id, grown, sizeOf(entries));
      }
      return done;
    },
    async rename(ref, title) {
      await open();
      cache.delete(idOfSession(ref));
      return connection.do<"rename">({ kind: "rename", ...ref, title });
    },
    async delete(ref) {
      await open();
      cache.delete(idOfSession(ref));
      return connection.do<"delete">({ kind: "delete", ...ref });
    },
    async list({ owner, agent = null, limit }) {
      await open();
      const rows = await connection.do<"list">({ kind: "list", owner, agent, limit, staleBefore: staleBefore() });
      return rows.map(toInfo);
    },
    async close() {
      clearInterval(pruning);
      await connection.close();
    },
  };
}

function grow(transcript: Transcript | undefined, { agent, ...addition }: Addition, at: number): Transcript {
  const grown = transcript ?? new Transcript({ agent, title: null, createdAt: at, updatedAt: at });
  grown.add(addition);
  grown.meta = { ...grown.meta, updatedAt: at };
  return grown;
}

function sizeOf(entries: readonly EntryRow[]): number {
  return entries.reduce((sum, { message }) => sum + message.length, 0);
}

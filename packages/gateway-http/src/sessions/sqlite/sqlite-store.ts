import { type Addition, anchorOf } from "../entry.ts";
import type { StoreLimits } from "../memory-store.ts";
import { idOfSession, type SessionRef, type SessionStore } from "../store.ts";
import { Transcript, weightOfAll } from "../transcript.ts";
import type { Connection } from "./connection.ts";
import { toInfo, toRow, toSettingsText, toTranscript } from "./rows.ts";
import { TranscriptCache } from "./transcript-cache.ts";

export interface SqliteStoreOptions extends StoreLimits {
  /** Characters of memory for transcripts at hand, about. Default: 16 Mi. */
  maxCached?: number;
}

/** Milliseconds between looks for sessions that are too old or too many. */
const PRUNE_EVERY_MS = 60_000;

/**
 * Sessions in a database in the state folder. This process is its one writer, so what it read or wrote lately it knows:
 * most turns ask the database for nothing before they write.
 */
export function createSqliteStore(connection: Connection, options: SqliteStoreOptions): SessionStore {
  const { maxEntries, pruneAfterMs, now = Date.now } = options;
  const cache = new TranscriptCache(options.maxCached ?? 16 * 1024 * 1024);
  const staleBefore = (usedAfter = 0) => Math.max(now() - pruneAfterMs, usedAfter);
  let opened: Promise<void> | undefined;
  let pruning: NodeJS.Timeout | undefined;

  async function start(): Promise<void> {
    await connection.open();
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
    const answer = await connection.do<"read">({ kind: "read", ...toTarget(ref), staleBefore: staleBefore() });
    if (!answer) return undefined;
    const known = cache.get(id);
    const transcript = toTranscript(answer);
    if (known) cache.set(id, known, transcript.weight);
    return transcript;
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
        // `null` where nothing was added to it: what is there now, the database knows.
        const transcript = await known.catch(() => null);
        if (transcript === undefined) return undefined;
        if (transcript && transcript.meta.updatedAt > staleBefore()) return transcript;
        cache.delete(id);
      }
      await open();
      const loading = load(id, ref);
      cache.set(id, loading);
      return loading;
    },
    async find(ref) {
      await open();
      const row = await connection.do<"find">({ kind: "find", ...toTarget(ref), staleBefore: staleBefore() });
      return row ? toInfo(row) : undefined;
    },
    async append(ref, addition) {
      // Not awaited for nothing: what a run writes elsewhere at the same time is to be in the same transaction.
      if (!connection.isOpen) await open();
      const id = idOfSession(ref);
      const entries = addition.entries.map(toRow);
      const at = now();
      const anchor = anchorOf(addition);
      const stale = staleBefore();
      const { begins } = addition;
      const done = connection.do<"append">({
        kind: "append",
        ...toTarget(ref),
        agent: addition.agent,
        at,
        anchor,
        staleBefore: stale,
        entries,
        ...(addition.head !== undefined && { head: addition.head }),
        carriesHistory: addition.carriesHistory ?? false,
        ...(begins && { begins: { title: begins.title, settings: toSettingsText(begins.settings) } }),
      });
      // In the order of the writes, and seen by nobody before it is written.
      const known = cache.get(id);
      if (known) {
        const grown = Promise.all([known, done]).then(([transcript, isThere]) => {
          if (!isThere) throw new Error("nothing was added");
          const isGone = anchor === null && transcript && transcript.meta.updatedAt <= stale;
          return grow(isGone ? undefined : transcript, addition, at);
        });
        cache.set(id, grown, weightOfAll(addition.entries));
      }
      return done;
    },
    async change(ref, { title, settings }) {
      await open();
      cache.delete(idOfSession(ref));
      return connection.do<"change">({
        kind: "change",
        ...toTarget(ref),
        ...(title !== undefined && { title }),
        ...(settings !== undefined && { settings: JSON.stringify(settings) }),
        staleBefore: staleBefore(),
      });
    },
    async delete(ref) {
      await open();
      cache.delete(idOfSession(ref));
      return connection.do<"delete">({ kind: "delete", ...toTarget(ref), staleBefore: staleBefore() });
    },
    async list({ owner, agent = null, search = null, usedAfter, order = "desc", after, limit }) {
      await open();
      const rows = await connection.do<"list">({
        kind: "list",
        owner,
        agent,
        search,
        order,
        after: after ? { updatedAt: after.updatedAt, key: after.key } : null,
        limit,
        staleBefore: staleBefore(usedAfter),
      });
      return rows.map(toInfo);
    },
    async count({ owner, agent = null, search = null, usedAfter }) {
      await open();
      return connection.do<"count">({ kind: "count", owner, agent, search, staleBefore: staleBefore(usedAfter) });
    },
    async close() {
      clearInterval(pruning);
      await connection.close();
    },
  };
}

function grow(transcript: Transcript | undefined, { agent, begins, ...addition }: Addition, at: number): Transcript {
  const grown = transcript ?? Transcript.begin(agent, begins, at);
  grown.add(addition);
  grown.meta = { ...grown.meta, updatedAt: at };
  return grown;
}

/** What names a session, and nothing else that came along: it is sent to another thread. */
function toTarget({ owner, key }: SessionRef): SessionRef {
  return { owner, key };
}

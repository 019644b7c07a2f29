import { createMemoryCompletions } from "./completions/memory-completions.ts";
import { createSqliteCompletions } from "./completions/sqlite/sqlite-completions.ts";
import type { CompletionStore } from "./completions/store.ts";
import type { Config } from "./config/schema.ts";
import { createMemoryStore } from "./sessions/memory-store.ts";
import { Connection } from "./sessions/sqlite/connection.ts";
import { createSqliteStore } from "./sessions/sqlite/sqlite-store.ts";
import type { SessionStore } from "./sessions/store.ts";

/** Milliseconds a gateway waits for the one before it to let go of the state folder. */
const LOCK_TIMEOUT_MS = 500;

/** What a gateway keeps, and where: `sessions.store`. */
export interface Stores {
  sessions: SessionStore;
  completions: CompletionStore;
}

/** @param folder the state folder */
export function createStores(
  { store: { kind, sync }, maxEntries, pruneAfter }: Config["sessions"],
  folder: string,
): Stores {
  const limits = { maxEntries, pruneAfterMs: pruneAfter };
  if (kind === "memory") return { sessions: createMemoryStore(limits), completions: createMemoryCompletions() };
  const connection = new Connection({ folder, sync, lockTimeoutMs: LOCK_TIMEOUT_MS });
  return { sessions: createSqliteStore(connection, limits), completions: createSqliteCompletions(connection) };
}

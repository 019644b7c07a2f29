import type { DatabaseSync } from "node:sqlite";
import { COMPLETION_TABLES } from "../../completions/sqlite/tables.ts";

/**
 * One step each from an older database to the next; never changed once it was released, only added to.
 * `PRAGMA user_version` counts the steps a database has had.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE session (
     id INTEGER PRIMARY KEY,
     owner TEXT NOT NULL,
     key TEXT NOT NULL,
     agent TEXT NOT NULL,
     title TEXT,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     head TEXT,
     carries_history INTEGER NOT NULL DEFAULT 0,
     UNIQUE (owner, key)
   ) STRICT;
   CREATE INDEX session_by_use ON session (updated_at);
   CREATE INDEX session_of_owner ON session (owner, updated_at, key);
   CREATE TABLE entry (
     seq INTEGER PRIMARY KEY,
     session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
     id TEXT NOT NULL,
     parent TEXT,
     -- The seq of the nearest entry above that callers see.
     follows INTEGER,
     run_id TEXT NOT NULL,
     at INTEGER NOT NULL,
     hidden INTEGER NOT NULL,
     alone INTEGER NOT NULL,
     aborted INTEGER NOT NULL,
     usage TEXT,
     -- The last column: whoever wants another does not have to go through it.
     message TEXT NOT NULL,
     UNIQUE (session, id)
   ) STRICT;
   CREATE INDEX entry_seen ON entry (session, hidden, follows);`,
  COMPLETION_TABLES,
  // JSON; NULL where the owner of the session chose nothing.
  "ALTER TABLE session ADD COLUMN settings TEXT;",
];

/** @throws Error when the database was made by a newer version */
export function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > MIGRATIONS.length) throw new Error("it was made by a newer version of the gateway");
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

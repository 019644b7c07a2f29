import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Message } from "./slow-provider.ts";

export interface StoredEntry extends Message {
  id: string;
  parent: string | null;
  aborted: boolean;
}

export interface StoredSession {
  head: string | null;
  entries: StoredEntry[];
}

/** The sessions by key, and what SQLite itself says of the file. */
export function readSessions(folder: string): { problems: unknown[]; sessions: Map<string, StoredSession> } {
  const database = new DatabaseSync(join(folder, "sessions.sqlite"), { readOnly: true });
  try {
    const integrity = database.prepare("PRAGMA integrity_check").all();
    const problems = integrity.filter((row) => row.integrity_check !== "ok");
    problems.push(...database.prepare("PRAGMA foreign_key_check").all());
    const sessions = new Map<string, StoredSession>();
    for (const { id, key, head } of database.prepare("SELECT id, key, head FROM session").all()) {
      const rows = database.prepare("SELECT * FROM entry WHERE session = ? ORDER BY seq").all(id as number);
      const entries = rows.map((row) => ({
        id: row.id as string,
        parent: row.parent as string | null,
        aborted: row.aborted === 1,
        ...(JSON.parse(row.message as string) as Message),
      }));
      sessions.set(key as string, { head: head as string | null, entries });
    }
    return { problems, sessions };
  } finally {
    database.close();
  }
}

/** From a session's first message to this one. */
export function pathTo(id: string | null | undefined, { entries }: StoredSession): StoredEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const path: StoredEntry[] = [];
  for (let entry = byId.get(id ?? ""); entry; entry = byId.get(entry.parent ?? "")) path.push(entry);
  return path.reverse();
}

/** The files that others than their owner may open. */
export function openToOthers(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const stat = statSync(join(folder, name));
    return (stat.mode & 0o777) !== (stat.isDirectory() ? 0o700 : 0o600);
  });
}

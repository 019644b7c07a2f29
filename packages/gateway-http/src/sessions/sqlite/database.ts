import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type {
  Answers,
  AppendOperation,
  Batch,
  EntryRow,
  OpenOptions,
  Operation,
  Outcome,
  SessionRow,
} from "./operations.ts";
import { migrate } from "./schema.ts";

/** Sessions removed in one transaction: what waits behind a large clean-up waits for this much of it. */
const PRUNE_STEP = 100;

/** Thrown when another process has the folder. */
export class LockedError extends Error {}

/**
 * Takes the folder for this process, until it ends or closes: a lock of the operating system, which nobody has to clean
 * up after a crash. It is on a file of its own, so that others may read the database meanwhile.
 */
function lock({ folder, lockTimeoutMs }: OpenOptions): DatabaseSync {
  const holder = new DatabaseSync(createPrivate(join(folder, "gateway.lock")), { timeout: lockTimeoutMs });
  try {
    holder.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    holder.close();
    throw (error as { errcode?: number }).errcode === 5 ? new LockedError("another process uses this folder") : error;
  }
  return holder;
}

/** The sessions' database. Synchronous: for a thread that has nothing else to do. */
export class Database {
  readonly #lock: DatabaseSync;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws LockedError; Error when the file cannot be used */
  constructor(options: OpenOptions) {
    this.#lock = lock(options);
    try {
      this.#database = new DatabaseSync(createPrivate(join(options.folder, "sessions.sqlite")), { timeout: 5000 });
      this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.sync}; PRAGMA foreign_keys = ON;`);
      migrate(this.#database);
    } catch (error) {
      this.#lock.close();
      throw error;
    }
  }

  /** Does all of it in one transaction, so with one sync. What fails is done again by itself and fails alone. */
  execute(batch: Batch): Outcome[] {
    try {
      return this.#inTransaction(batch, () => batch.map((operation) => ({ value: this.#do(operation) })));
    } catch (error) {
      if (batch.length === 1) return [{ error: messageOf(error) }];
      return batch.flatMap((operation) => this.execute([operation]));
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
    this.#lock.close();
  }

  #inTransaction<T>(batch: Batch, work: () => T): T {
    const writes = batch.some(({ kind }) => kind !== "list" && kind !== "read");
    if (!writes) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #do(operation: Operation): Answers[keyof Answers] {
    switch (operation.kind) {
      case "read":
        return this.#read(operation);
      case "append":
        return this.#append(operation);
      case "rename":
        return (
          this.#sql("UPDATE session SET title = ? WHERE owner = ? AND key = ?").run(
            operation.title,
            operation.owner,
            operation.key,
          ).changes === 1
        );
      case "delete":
        return (
          this.#sql("DELETE FROM session WHERE owner = ? AND key = ?").run(operation.owner, operation.key).changes === 1
        );
      case "list":
        return this.#list(operation);
      case "prune":
        return this.#prune(operation);
    }
  }

  #read({ owner, key, staleBefore }: Extract<Operation, { kind: "read" }>): Answers["read"] {
    const session = this.#sql("SELECT * FROM session WHERE owner = ? AND key = ? AND updated_at > ?").get(
      owner,
      key,
      staleBefore,
    ) as (SessionRow & { id: number }) | undefined;
    if (!session) return null;
    const entries = this.#sql(
      "SELECT id, parent, message, run_id, at, hidden, aborted, usage FROM entry WHERE session = ? ORDER BY seq",
    ).all(session.id) as unknown as EntryRow[];
    return { session, entries };
  }

  #append({ owner, key, agent, at, anchor, staleBefore, entries, head, carriesHistory }: AppendOperation): boolean {
    if (anchor === null) {
      this.#sql("DELETE FROM session WHERE owner = ? AND key = ? AND updated_at <= ?").run(owner, key, staleBefore);
    } else if (!this.#has(owner, key, anchor)) {
      return false;
    }
    // By hand: a foreign key to the parent would look through all entries for each one that is deleted.
    const there = new Set([null, anchor]);
    for (const { id, parent } of entries) {
      if (!there.has(parent) && !this.#has(owner, key, parent as string)) throw new Error("no such parent entry");
      there.add(id);
    }
    const { id } = this.#sql(
      `INSERT INTO session (owner, key, agent, created_at, updated_at, head, carries_history) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
       ON CONFLICT (owner, key) DO UPDATE SET updated_at = ?4, head = coalesce(?5, head), carries_history = carries_history | ?6
       RETURNING id`,
    ).get(owner, key, agent, at, head, carriesHistory ? 1 : 0) as { id: number };
    const insert = this.#sql(
      "INSERT INTO entry (session, id, parent, message, run_id, at, hidden, aborted, usage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (const row of entries) {
      insert.run(id, row.id, row.parent, row.message, row.run_id, row.at, row.hidden, row.aborted, row.usage);
    }
    return true;
  }

  #has(owner: string, key: string, entry: string): boolean {
    const found = this.#sql(
      "SELECT 1 FROM session JOIN entry ON entry.session = session.id AND entry.id = ? WHERE owner = ? AND key = ?",
    ).get(entry, owner, key);
    return found !== undefined;
  }

  #list({ owner, agent, limit, staleBefore }: Extract<Operation, { kind: "list" }>): Answers["list"] {
    return this.#sql(
      `SELECT *, (SELECT count(*) FROM entry WHERE session = session.id AND NOT hidden) AS messages FROM session
       WHERE owner = ?1 AND updated_at > ?2 AND (?3 IS NULL OR agent = ?3)
       ORDER BY updated_at DESC, id DESC LIMIT ?4`,
    ).all(owner, staleBefore, agent, limit) as unknown as Answers["list"];
  }

  /** Some of what is too old or too much; none when there is no more. */
  #prune({ staleBefore, maxEntries }: Extract<Operation, { kind: "prune" }>): Answers["prune"] {
    const { count } = this.#sql("SELECT count(*) AS count FROM session").get() as { count: number };
    return this.#sql(
      `DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY updated_at, id LIMIT ?1)
       AND (updated_at <= ?2 OR id IN (SELECT id FROM session ORDER BY updated_at, id LIMIT ?3)) RETURNING owner, key`,
    ).all(PRUNE_STEP, staleBefore, Math.max(0, count - maxEntries)) as unknown as Answers["prune"];
  }

  #sql(text: string): StatementSync {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

/** For this user only, before anything is in it. The files SQLite puts beside it get the same mode. */
function createPrivate(path: string): string {
  closeSync(openSync(path, "a", 0o600));
  return path;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

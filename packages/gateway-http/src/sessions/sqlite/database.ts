import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { COMPLETION_READS, isCompletionOperation } from "../../completions/sqlite/operations.ts";
import { executeCompletion } from "../../completions/sqlite/tables.ts";
import { createPrivate, lock } from "./lock.ts";
import type { Answers, Batch, OpenOptions, Operation, Outcome } from "./operations.ts";
import { migrate } from "./schema.ts";
import { SessionTables } from "./session-tables.ts";
import { Statements } from "./statements.ts";

const READS: ReadonlySet<Operation["kind"]> = new Set(["read", "find", "list", ...COMPLETION_READS]);

/** The sessions' database. Synchronous: for a thread that has nothing else to do. */
export class Database {
  readonly #lock: DatabaseSync;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #sessions: SessionTables;

  /** @throws LockedError; Error when the file cannot be used */
  constructor(options: OpenOptions) {
    this.#lock = lock(options);
    try {
      this.#database = new DatabaseSync(createPrivate(join(options.folder, "sessions.sqlite")), { timeout: 5000 });
      // Only while nothing is in it yet; so that the file can shrink.
      this.#database.exec("PRAGMA auto_vacuum = INCREMENTAL");
      this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.sync}; PRAGMA foreign_keys = ON;`);
      migrate(this.#database);
      this.#statements = new Statements(this.#database);
      this.#sessions = new SessionTables(this.#database, this.#statements);
    } catch (error) {
      this.#lock.close();
      throw error;
    }
  }

  /**
   * Does all of it in one transaction, so with one sync. When something fails, all is done again apart, but for what one
   * run wrote: that is kept or fails together.
   */
  execute(batch: Batch): Outcome[] {
    try {
      return this.#inTransaction(batch, () => batch.map((operation) => ({ value: this.#do(operation) })));
    } catch (error) {
      const parts = toParts(batch);
      if (parts.length === 1) return batch.map(() => ({ error: messageOf(error) }));
      const outcomes = new Map(parts.flatMap((part) => zip(part, this.execute(part))));
      return batch.map((operation) => outcomes.get(operation) as Outcome);
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
    this.#lock.close();
  }

  #do(operation: Operation): Answers[keyof Answers] {
    if (!isCompletionOperation(operation)) return this.#sessions.do(operation);
    return executeCompletion((text) => this.#statements.get(text), operation);
  }

  #inTransaction<T>(batch: Batch, work: () => T): T {
    if (batch.every(({ kind }) => READS.has(kind))) return work();
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
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The operations of a batch, those of one run together. */
function toParts(batch: Batch): Batch[] {
  const parts = new Map<unknown, Batch>();
  for (const operation of batch) {
    const part = runOf(operation) ?? operation;
    const before = parts.get(part);
    if (before) before.push(operation);
    else parts.set(part, [operation]);
  }
  return [...parts.values()];
}

function runOf(operation: Operation): string | undefined {
  if (operation.kind === "append") return operation.entries[0]?.run_id;
  if (operation.kind === "put-record") return operation.row.run_id;
  return operation.kind === "put-completion" ? operation.row.id : undefined;
}

function zip<A, B>(ones: readonly A[], others: readonly B[]): [A, B][] {
  return ones.map((one, index) => [one, others[index] as B]);
}

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { mentions } from "../mentions.ts";
import type { Answers, AppendOperation, EntryRow, SessionOperation, SessionRow } from "./operations.ts";
import type { Statements } from "./statements.ts";

/** Sessions removed in one transaction: what waits behind a large clean-up waits for this much of it. */
const PRUNE_STEP = 10;
/** Pages given back to the file system with each. */
const VACUUM_PAGES = 1000;

type Of<K extends SessionOperation["kind"]> = Extract<SessionOperation, { kind: K }>;
type NumberedRow = SessionRow & { id: number };

/** What is done to the tables of the sessions, each in a transaction that somebody else began. */
export class SessionTables {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  constructor(database: DatabaseSync, statements: Statements) {
    this.#database = database;
    this.#statements = statements;
    // SQLite's own LIKE knows the cases of ASCII only.
    const isFound = (search: unknown, title: unknown, key: unknown) =>
      mentions(search as string, title as string | null, key as string) ? 1 : 0;
    database.function("mentions", { deterministic: true }, isFound);
  }

  do(operation: SessionOperation): Answers[keyof Answers] {
    switch (operation.kind) {
      case "read":
        return this.#read(operation);
      case "find":
        return this.#find(operation);
      case "append":
        return this.#append(operation);
      case "change":
        return this.#change(operation);
      case "delete":
        return this.#delete(operation);
      case "list":
        return this.#list(operation);
      case "count":
        return this.#count(operation);
      case "prune":
        return this.#prune(operation);
    }
  }

  #session({ owner, key, staleBefore }: Omit<Of<"read">, "kind">): NumberedRow | undefined {
    return this.#sql("SELECT * FROM session WHERE owner = ? AND key = ? AND updated_at > ?").get(
      owner,
      key,
      staleBefore,
    ) as NumberedRow | undefined;
  }

  #read(operation: Of<"read">): Answers["read"] {
    const session = this.#session(operation);
    if (!session) return null;
    const entries = this.#sql(
      "SELECT id, parent, message, run_id, at, hidden, alone, aborted, usage FROM entry WHERE session = ? ORDER BY seq",
    ).all(session.id) as unknown as EntryRow[];
    return { session, entries };
  }

  #find(operation: Of<"find">): Answers["find"] {
    const session = this.#session(operation);
    return session ? this.#counted(session) : null;
  }

  #append(operation: AppendOperation): boolean {
    const { owner, key, agent, at, anchor, staleBefore, entries, head, carriesHistory, begins } = operation;
    if (anchor === null) {
      this.#sql("DELETE FROM session WHERE owner = ? AND key = ? AND updated_at <= ?").run(owner, key, staleBefore);
    } else if (!this.#has(owner, key, anchor)) {
      return false;
    }
    const isThere = () => this.#session(operation) !== undefined;
    if (begins ? isThere() : entries.length === 0 && !isThere()) return false;
    // By hand: a foreign key to the parent would look through all entries for each one that is deleted.
    const there = new Set([null, anchor]);
    for (const { id, parent } of entries) {
      if (!there.has(parent) && !this.#has(owner, key, parent as string)) throw new Error("no such parent entry");
      there.add(id);
    }
    const { id } = this.#sql(
      `INSERT INTO session (owner, key, agent, created_at, updated_at, head, carries_history, title, settings)
       VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)
       ON CONFLICT (owner, key) DO UPDATE
       SET updated_at = ?4, head = iif(?9, ?5, head), carries_history = carries_history | ?6
       RETURNING id`,
    ).get(
      ...[owner, key, agent, at, head ?? null, carriesHistory ? 1 : 0],
      ...[begins?.title ?? null, begins?.settings ?? null, head === undefined ? 0 : 1],
    ) as { id: number };
    const insert = this.#sql(
      `INSERT INTO entry (session, id, parent, follows, run_id, at, hidden, alone, aborted, usage, message)
       VALUES (?1, ?2, ?3, (SELECT iif(hidden, follows, seq) FROM entry WHERE session = ?1 AND id = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
    );
    for (const row of entries) {
      const { parent, run_id, hidden, alone, aborted, usage, message } = row;
      insert.run(id, row.id, parent, run_id, row.at, hidden, alone, aborted, usage, message);
    }
    return true;
  }

  #has(owner: string, key: string, entry: string): boolean {
    const found = this.#sql(
      "SELECT 1 FROM session JOIN entry ON entry.session = session.id AND entry.id = ? WHERE owner = ? AND key = ?",
    ).get(entry, owner, key);
    return found !== undefined;
  }

  #delete({ owner, key, staleBefore }: Of<"delete">): boolean {
    const removed = this.#sql("DELETE FROM session WHERE owner = ? AND key = ? RETURNING updated_at").get(owner, key) as
      | { updated_at: number }
      | undefined;
    return removed !== undefined && removed.updated_at > staleBefore;
  }

  #change({ owner, key, staleBefore, title, settings }: Of<"change">): boolean {
    const change = this.#sql(
      `UPDATE session SET title = iif(?1, ?2, title), settings = json_patch(coalesce(settings, '{}'), ?3)
       WHERE owner = ?4 AND key = ?5 AND updated_at > ?6`,
    );
    const isTitled = title === undefined ? 0 : 1;
    return change.run(isTitled, title ?? null, settings ?? "{}", owner, key, staleBefore).changes === 1;
  }

  #count({ staleBefore, ...query }: Of<"count">): number {
    const { conditions, values } = toConditions(query, staleBefore);
    const { count } = this.#sql(`SELECT count(*) AS count FROM session WHERE ${conditions.join(" AND ")}`).get(
      ...values,
    ) as { count: number };
    return count;
  }

  #list({ order, after, limit, staleBefore, ...query }: Of<"list">): Answers["list"] {
    // The bound says what it can, so that the index leads to the page.
    const bound = order === "asc" && after ? Math.max(staleBefore, after.updatedAt - 1) : staleBefore;
    const { conditions, values } = toConditions(query, bound);
    if (after !== null) {
      conditions.push(`(updated_at, key) ${order === "asc" ? ">" : "<"} (?, ?)`);
      values.push(after.updatedAt, after.key);
    }
    const rows = this.#sql(
      `SELECT * FROM session WHERE ${conditions.join(" AND ")} ORDER BY updated_at ${order}, key ${order} LIMIT ?`,
    ).all(...values, limit);
    return (rows as unknown as NumberedRow[]).map((row) => this.#counted(row));
  }

  /** Read from an index that has nothing else in it. */
  #counted({ id, ...session }: NumberedRow): Answers["list"][number] {
    const counts = this.#sql(
      `SELECT count(*) AS messages, count(*) - count(DISTINCT follows) AS branches
       FROM entry WHERE session = ? AND hidden = 0`,
    ).get(id) as { messages: number; branches: number };
    return { ...session, ...counts };
  }

  /** Some of what is too old or too much; none when there is no more. */
  #prune({ staleBefore, maxEntries }: Of<"prune">): Answers["prune"] {
    const { count } = this.#sql("SELECT count(*) AS count FROM session").get() as { count: number };
    const removed = this.#sql(
      `DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY updated_at, id LIMIT ?1)
       AND (updated_at <= ?2 OR id IN (SELECT id FROM session ORDER BY updated_at, id LIMIT ?3)) RETURNING owner, key`,
    ).all(PRUNE_STEP, staleBefore, Math.max(0, count - maxEntries)) as unknown as Answers["prune"];
    if (removed.length > 0) this.#database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    return removed;
  }

  #sql(text: string): StatementSync {
    return this.#statements.get(text);
  }
}

/** Only what is asked for is in the text, so that an index can lead to it. */
function toConditions({ owner, agent, search }: Omit<Of<"count">, "kind" | "staleBefore">, usedAfter: number) {
  const conditions = ["owner = ?", "updated_at > ?"];
  const values: (string | number)[] = [owner, usedAfter];
  if (agent !== null) {
    conditions.push("agent = ?");
    values.push(agent);
  }
  if (search !== null) {
    conditions.push("mentions(?, title, key)");
    values.push(search);
  }
  return { conditions, values };
}

import type { StatementSync } from "node:sqlite";
import type { CompletionAnswers, CompletionOperation, CompletionRow, RecordRow } from "./operations.ts";

/** The step of the database's migrations that makes these tables. */
export const COMPLETION_TABLES = `
  CREATE TABLE record (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    run_id TEXT NOT NULL,
    session_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    error TEXT,
    size INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, key)
  ) STRICT;
  CREATE INDEX record_by_age ON record (at, size);
  CREATE TABLE completion (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    model TEXT NOT NULL,
    at INTEGER NOT NULL,
    metadata TEXT,
    completion TEXT NOT NULL,
    request TEXT NOT NULL,
    messages TEXT NOT NULL
  ) STRICT;
  CREATE INDEX completion_by_age ON completion (at);`;

const WITHOUT_MESSAGES = "id, owner, model, at, metadata, completion, request";
/** Rows removed in one transaction. */
const PRUNE_STEP = 100;

/** Prepares a statement, once. */
type Sql = (text: string) => StatementSync;

/** Does one operation on kept answers and completions, in whatever transaction is open. */
export function executeCompletion(
  sql: Sql,
  operation: CompletionOperation,
): CompletionAnswers[keyof CompletionAnswers] {
  switch (operation.kind) {
    case "put-record": {
      const { owner, key, fingerprint, run_id, session_key, at, stream, error, body } = operation.row;
      sql(
        "REPLACE INTO record (owner, key, fingerprint, run_id, session_key, at, stream, error, size, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ).run(owner, key, fingerprint, run_id, session_key, at, stream, error, body.length, body);
      return null;
    }
    case "find-record": {
      const found = sql("SELECT * FROM record WHERE owner = ? AND key = ? AND at > ?");
      return (found.get(operation.owner, operation.key, operation.staleBefore) as RecordRow | undefined) ?? null;
    }
    case "put-completion": {
      const { id, owner, model, at, metadata, completion, request } = operation.row;
      sql(
        "INSERT INTO completion (id, owner, model, at, metadata, completion, request, messages) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ).run(id, owner, model, at, metadata, completion, request, operation.messages);
      return null;
    }
    case "find-completion": {
      const found = sql(`SELECT ${WITHOUT_MESSAGES} FROM completion WHERE id = ? AND owner = ? AND at > ?`);
      return (found.get(operation.id, operation.owner, operation.staleBefore) as CompletionRow | undefined) ?? null;
    }
    case "find-messages": {
      const found = sql("SELECT messages FROM completion WHERE id = ? AND owner = ? AND at > ?");
      const row = found.get(operation.id, operation.owner, operation.staleBefore) as { messages: string } | undefined;
      return row?.messages ?? null;
    }
    case "list-completions":
      return list(sql, operation);
    case "set-metadata": {
      const { metadata, id, owner } = operation;
      return (
        sql("UPDATE completion SET metadata = ? WHERE id = ? AND owner = ?").run(metadata, id, owner).changes === 1
      );
    }
    case "delete-completion": {
      const { id, owner } = operation;
      return sql("DELETE FROM completion WHERE id = ? AND owner = ?").run(id, owner).changes === 1;
    }
    case "prune-completions":
      return prune(sql, operation);
  }
}

function list(sql: Sql, query: Extract<CompletionOperation, { kind: "list-completions" }>): CompletionRow[] | null {
  const { owner, model, metadata, after, order, limit, staleBefore } = query;
  let place = order === "asc" ? 0 : Number.MAX_SAFE_INTEGER;
  if (after !== null) {
    const found = sql("SELECT seq FROM completion WHERE id = ? AND owner = ? AND at > ?").get(
      after,
      owner,
      staleBefore,
    );
    if (!found) return null;
    place = Number(found.seq);
  }
  return sql(
    `SELECT ${WITHOUT_MESSAGES} FROM completion WHERE owner = ?1 AND seq ${order === "asc" ? ">" : "<"} ?2 AND at > ?3
       AND (?4 IS NULL OR model = ?4)
       AND NOT EXISTS (
         SELECT 1 FROM json_each(?5) AS wanted WHERE NOT EXISTS (
           SELECT 1 FROM json_each(completion.metadata) AS has
           WHERE has.key = wanted.value ->> 0 AND has.value = wanted.value ->> 1))
     ORDER BY seq ${order === "asc" ? "ASC" : "DESC"} LIMIT ?6`,
  ).all(owner, place, staleBefore, model, metadata, limit) as unknown as CompletionRow[];
}

function prune(sql: Sql, limits: Extract<CompletionOperation, { kind: "prune-completions" }>): number {
  const { recordsBefore, records, recordChars, completionsBefore } = limits;
  const old = sql("DELETE FROM completion WHERE seq IN (SELECT seq FROM completion WHERE at <= ? LIMIT ?)").run(
    completionsBefore,
    PRUNE_STEP,
  ).changes;
  // Sums from the newest on, read from an index: what comes after too many, or too much, goes.
  const gone = sql(
    `DELETE FROM record WHERE rowid IN (
       SELECT id FROM (
         SELECT rowid AS id, at, row_number() OVER newest AS place, sum(size) OVER newest AS total FROM record
         WINDOW newest AS (ORDER BY at DESC, rowid DESC))
       WHERE at <= ?1 OR place > ?2 OR total > ?3 LIMIT ?4)`,
  ).run(recordsBefore, records, recordChars, PRUNE_STEP).changes;
  return Number(old) + Number(gone);
}

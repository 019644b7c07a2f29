import type { Connection } from "../../sessions/sqlite/connection.ts";
import {
  type AnswerRecord,
  type CompletionStore,
  type CompletionStoreOptions,
  type KeptCompletion,
  LIMITS,
} from "../store.ts";
import type { CompletionRow, RecordRow } from "./operations.ts";

/** Milliseconds between looks for what is too old or too much. */
const PRUNE_EVERY_MS = 60_000;

/** Answers that are kept in the database of the state folder. */
export function createSqliteCompletions(
  connection: Connection,
  { now = Date.now, limits = LIMITS }: CompletionStoreOptions = {},
): CompletionStore {
  const staleBefore = () => now() - limits.completionMs;
  let prunedAt = now();

  async function prune(): Promise<void> {
    prunedAt = now();
    const { recordMs, records, recordChars } = limits;
    const bounds = { recordsBefore: now() - recordMs, records, recordChars, completionsBefore: staleBefore() };
    while ((await connection.do<"prune-completions">({ kind: "prune-completions", ...bounds })) > 0);
  }

  /** There is only more to remove when something was added. */
  function pruneNowAndThen(): void {
    if (now() - prunedAt > PRUNE_EVERY_MS) void prune().catch(() => {});
  }

  return {
    async putRecord({ owner, key, fingerprint, runId, sessionKey, at, stream, error, body }) {
      pruneNowAndThen();
      await connection.do<"put-record">({
        kind: "put-record",
        row: {
          owner,
          key,
          fingerprint,
          run_id: runId,
          session_key: sessionKey,
          at,
          stream: stream ? 1 : 0,
          error: error ? JSON.stringify(error) : null,
          body,
        },
      });
    },
    async findRecord(owner, key) {
      const row = await connection.do<"find-record">({
        kind: "find-record",
        owner,
        key,
        staleBefore: now() - limits.recordMs,
      });
      return row ? toRecord(row) : undefined;
    },
    async putCompletion({ owner, completion, metadata, request }, messages) {
      pruneNowAndThen();
      await connection.do<"put-completion">({
        kind: "put-completion",
        row: {
          id: completion.id,
          owner,
          model: completion.model,
          at: now(),
          metadata: metadata && JSON.stringify(metadata),
          completion: JSON.stringify(completion),
          request: JSON.stringify(request),
        },
        messages: JSON.stringify(messages),
      });
    },
    async findCompletion(owner, id) {
      const query = { kind: "find-completion", owner, id, staleBefore: staleBefore() } as const;
      const row = await connection.do<"find-completion">(query);
      return row ? toKept(row) : undefined;
    },
    async findMessages(owner, id) {
      const query = { kind: "find-messages", owner, id, staleBefore: staleBefore() } as const;
      const messages = await connection.do<"find-messages">(query);
      return messages === null ? undefined : JSON.parse(messages);
    },
    async listCompletions({ owner, model = null, metadata = [], after = null, order, limit }) {
      const rows = await connection.do<"list-completions">({
        kind: "list-completions",
        owner,
        model,
        metadata: JSON.stringify([...metadata]),
        after,
        order,
        limit,
        staleBefore: staleBefore(),
      });
      return rows?.map(toKept);
    },
    setMetadata(owner, id, metadata) {
      const text = metadata && JSON.stringify(metadata);
      return connection.do<"set-metadata">({ kind: "set-metadata", owner, id, metadata: text });
    },
    deleteCompletion(owner, id) {
      return connection.do<"delete-completion">({ kind: "delete-completion", owner, id });
    },
    prune,
  };
}

function toRecord({ run_id, session_key, stream, error, ...row }: RecordRow): AnswerRecord {
  const { owner, key, fingerprint, at, body } = row;
  return {
    owner,
    key,
    fingerprint,
    at,
    body,
    runId: run_id,
    sessionKey: session_key,
    stream: stream === 1,
    ...(error !== null && { error: JSON.parse(error) }),
  };
}

function toKept({ owner, completion, metadata, request }: CompletionRow): KeptCompletion {
  return {
    owner,
    completion: JSON.parse(completion),
    metadata: metadata && JSON.parse(metadata),
    request: JSON.parse(request),
  };
}

/** What the thread of the database is asked about completions, and what it answers: plain data. */

export interface RecordRow {
  owner: string;
  key: string;
  fingerprint: string;
  run_id: string;
  session_key: string;
  at: number;
  /** 0 or 1. */
  stream: number;
  /** JSON. */
  error: string | null;
  body: string;
}

export interface CompletionRow {
  id: string;
  owner: string;
  model: string;
  at: number;
  /** JSON, as are the others below. */
  metadata: string | null;
  completion: string;
  request: string;
}

export type CompletionOperation =
  | { kind: "put-record"; row: RecordRow }
  | { kind: "find-record"; owner: string; key: string; staleBefore: number }
  | { kind: "put-completion"; row: CompletionRow; messages: string }
  | { kind: "find-messages"; owner: string; id: string; staleBefore: number }
  | { kind: "find-completion"; owner: string; id: string; staleBefore: number }
  | {
      kind: "list-completions";
      owner: string;
      model: string | null;
      /** JSON, pairs of name and value; `[]` fits all. */
      metadata: string;
      after: string | null;
      order: "asc" | "desc";
      limit: number;
      staleBefore: number;
    }
  | { kind: "set-metadata"; owner: string; id: string; metadata: string | null }
  | { kind: "delete-completion"; owner: string; id: string }
  | {
      kind: "prune-completions";
      recordsBefore: number;
      records: number;
      recordChars: number;
      completionsBefore: number;
    };

export interface CompletionAnswers {
  "put-record": null;
  "find-record": RecordRow | null;
  "put-completion": null;
  "find-completion": CompletionRow | null;
  /** JSON. */
  "find-messages": string | null;
  /** `null` when `after` is no completion of this owner. */
  "list-completions": CompletionRow[] | null;
  "set-metadata": boolean;
  "delete-completion": boolean;
  /** How many rows were removed; 0 when there is nothing left to remove. */
  "prune-completions": number;
}

/** Whether each kind changes something. */
const CHANGES: Readonly<Record<CompletionOperation["kind"], boolean>> = {
  "put-record": true,
  "find-record": false,
  "put-completion": true,
  "find-completion": false,
  "find-messages": false,
  "list-completions": false,
  "set-metadata": true,
  "delete-completion": true,
  "prune-completions": true,
};

/** Operations that change nothing. */
export const COMPLETION_READS = Object.entries(CHANGES).flatMap(([kind, changes]) =>
  changes ? [] : [kind as CompletionOperation["kind"]],
);

export function isCompletionOperation(operation: { kind: string }): operation is CompletionOperation {
  return operation.kind in CHANGES;
}

import type { CompletionAnswers, CompletionOperation } from "../../completions/sqlite/operations.ts";
import type { ListPlace } from "../store.ts";

/** What the thread of the database is asked to do, and what it answers: plain data, to be sent between threads. */

export type Operation = SessionOperation | CompletionOperation;

export type SessionOperation =
  | ({ kind: "read" } & Target)
  | ({ kind: "find" } & Target)
  | ({ kind: "delete" } & Target)
  | AppendOperation
  | ChangeOperation
  | ListOperation
  | CountOperation
  | { kind: "prune"; staleBefore: number; maxEntries: number };

interface Target {
  owner: string;
  key: string;
  /** A session last used by then counts as gone. */
  staleBefore: number;
}

interface ChangeOperation extends Target {
  kind: "change";
  /** Absent: it stays. */
  title?: string | null;
  /** JSON Merge Patch (RFC 7396). */
  settings?: string;
}

interface CountQuery {
  owner: string;
  agent: string | null;
  search: string | null;
  staleBefore: number;
}

interface ListOperation extends CountQuery {
  kind: "list";
  order: "asc" | "desc";
  after: ListPlace | null;
  limit: number;
}

interface CountOperation extends CountQuery {
  kind: "count";
}

export interface AppendOperation extends Target {
  kind: "append";
  agent: string;
  /** Unix time in milliseconds. */
  at: number;
  /** The entry that must be there; `null` when a branch begins. */
  anchor: string | null;
  entries: EntryRow[];
  /** Absent: it stays. */
  head?: string | null;
  carriesHistory: boolean;
  /** There must be no such session yet. */
  begins?: { title: string | null; settings: string | null };
}

export interface EntryRow {
  id: string;
  parent: string | null;
  /** JSON. */
  message: string;
  run_id: string;
  at: number;
  /** 0 or 1. */
  hidden: number;
  /** 0 or 1. */
  alone: number;
  /** 0 or 1. */
  aborted: number;
  /** JSON. */
  usage: string | null;
}

export interface SessionRow {
  key: string;
  agent: string;
  title: string | null;
  /** JSON; `null` for none. */
  settings: string | null;
  created_at: number;
  updated_at: number;
  head: string | null;
  carries_history: number;
}

export interface CountedRow extends SessionRow {
  messages: number;
  branches: number;
}

/** What each kind of operation answers. */
export interface Answers extends CompletionAnswers {
  read: { session: SessionRow; entries: EntryRow[] } | null;
  find: CountedRow | null;
  append: boolean;
  change: boolean;
  delete: boolean;
  list: CountedRow[];
  count: number;
  /** The sessions that were removed. */
  prune: { owner: string; key: string }[];
}

export type Outcome = { value: Answers[keyof Answers] } | { error: string };

/** Sent to the thread, by position answered with as many outcomes. */
export type Batch = Operation[];

export interface OpenOptions {
  /** The folder of the database. */
  folder: string;
  /** `full`: what was written survives a power cut. `normal`: it survives the end of the process. */
  sync: "full" | "normal";
  /** Milliseconds to wait for another process to let go of the folder. */
  lockTimeoutMs: number;
}

/** The thread's first message. */
export type Opened = { opened: true } | { opened: false; locked: boolean; error: string };

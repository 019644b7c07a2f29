import type { ChatCompletion, ErrorCode } from "@openclaw/protocol";

/** What was answered under an idempotency key, to be said again word for word. */
export interface AnswerRecord {
  readonly owner: string;
  readonly key: string;
  /** SHA-256 of what was asked. */
  readonly fingerprint: string;
  /** The completion's id. */
  readonly runId: string;
  readonly sessionKey: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  /** Whether `body` is the frames of a stream, or else a JSON body. */
  readonly stream: boolean;
  readonly body: string;
  /** The run ended with this error, and trying again is not safe. */
  readonly error?: { code: ErrorCode; message: string; status: number; param: string | null };
}

/** A completion whose request said `store: true`. */
export interface KeptCompletion {
  readonly owner: string;
  /** As it was answered. */
  readonly completion: ChatCompletion;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** What else is shown of the request: its tools, its `temperature`, … */
  readonly request: Readonly<Record<string, unknown>>;
}

interface CompletionQuery {
  readonly owner: string;
  readonly model?: string | undefined;
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  readonly after?: string | undefined;
  readonly order: "asc" | "desc";
  readonly limit: number;
}

/** One text for a key of an owner's. */
export function idOfRecord({ owner, key }: Pick<AnswerRecord, "owner" | "key">): string {
  return JSON.stringify([owner, key]);
}

/** How long and how much is kept. */
export const LIMITS = {
  recordMs: 24 * 60 * 60 * 1000,
  records: 10_000,
  /** Characters of all records' bodies. */
  recordChars: 256 * 1024 * 1024,
  completionMs: 30 * 24 * 60 * 60 * 1000,
};

export interface CompletionStoreOptions {
  now?: () => number;
  limits?: typeof LIMITS;
}

/**
 * Where answers are kept, to be replayed or looked up. What `put…` was given is as durable as the store promises once
 * the call resolves. Another owner's records and completions do not exist.
 */
export interface CompletionStore {
  putRecord(record: AnswerRecord): Promise<void>;
  findRecord(owner: string, key: string): Promise<AnswerRecord | undefined>;
  /** @param messages the request's, as they were sent */
  putCompletion(kept: KeptCompletion, messages: readonly object[]): Promise<void>;
  findCompletion(owner: string, id: string): Promise<KeptCompletion | undefined>;
  /** Apart, because they may be large: those of the completion's request. */
  findMessages(owner: string, id: string): Promise<readonly object[] | undefined>;
  /** Resolves to `undefined` when `after` is no completion of this owner. */
  listCompletions(query: CompletionQuery): Promise<KeptCompletion[] | undefined>;
  /** Resolves to whether there is one. */
  setMetadata(owner: string, id: string, metadata: Record<string, string> | null): Promise<boolean>;
  /** Resolves to whether there was one. */
  deleteCompletion(owner: string, id: string): Promise<boolean>;
  /** Removes what is older or more than the limits allow. */
  prune(): Promise<void>;
}

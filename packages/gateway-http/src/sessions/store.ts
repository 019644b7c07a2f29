import type { Addition, SessionSettings, SessionSettled } from "./entry.ts";
import type { Transcript } from "./transcript.ts";

/** One session: whose it is and its key. Another owner's session of the same key is another session. */
export interface SessionRef {
  readonly owner: string;
  readonly key: string;
}

/** A session without its messages. Times are Unix time in milliseconds. */
export interface SessionInfo extends SessionSettled {
  readonly key: string;
  readonly agent: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly head: string | null;
  /** Messages that callers see, on all branches. */
  readonly messages: number;
  /** How many of them are the last of their branch. */
  readonly branches: number;
}

/** A place in the list of sessions, whether or not a session is at it now. */
export type ListPlace = Pick<SessionInfo, "updatedAt" | "key">;

/** Which sessions of an owner. */
interface CountQuery {
  readonly owner: string;
  readonly agent?: string | undefined;
  /** Part of the title or the key, in any case. */
  readonly search?: string | undefined;
  /** Only those used later than this: Unix time in milliseconds. */
  readonly usedAfter?: number | undefined;
}

interface ListQuery extends CountQuery {
  /** By last use, then by key. Default: `desc`, what was used last comes first. */
  readonly order?: "asc" | "desc" | undefined;
  /** Begins behind this place. */
  readonly after?: ListPlace | undefined;
  /** At most this many. */
  readonly limit: number;
}

/**
 * Where sessions live. Small and asynchronous, so that a database on this machine or another is one adapter away.
 * What was added, changed or deleted is as durable as the store promises once the call resolves; when it rejects,
 * nothing was changed.
 */
export interface SessionStore {
  /** Gets ready, so that what cannot work is known before anybody asks. The other calls do it by themselves. */
  open(): Promise<void>;
  /** The whole tree; `undefined` for a session that does not exist. It may grow while it is held, and only grow. */
  read(session: SessionRef): Promise<Transcript | undefined>;
  /** The session without its messages, and without reading them. */
  find(session: SessionRef): Promise<SessionInfo | undefined>;
  /**
   * Adds to a session, and makes it when the first entry has no parent and there is none, or when the addition is to
   * begin one. Resolves to `false`, and adds nothing, when what the first entry follows is not there any more, or there
   * is no session whose head could move: somebody deleted it meanwhile. Or when it is to begin a session that is there
   * already.
   */
  append(session: SessionRef, addition: Addition): Promise<boolean>;
  /** Sets the title, settings, or both. Resolves to whether there is such a session. */
  change(session: SessionRef, change: SessionChange): Promise<boolean>;
  /** Resolves to whether there was such a session. */
  delete(session: SessionRef): Promise<boolean>;
  /** Sessions of one owner. */
  list(query: ListQuery): Promise<SessionInfo[]>;
  /** How many sessions of one owner there are. */
  count(query: CountQuery): Promise<number>;
  /** Removes what is older than the store's limits allow. Stores do it by themselves too. */
  prune(): Promise<void>;
  close(): Promise<void>;
}

/** Absent: it stays as it is. `null`: it is taken away. */
export interface SessionChange {
  readonly title?: string | null;
  readonly settings?: { readonly [Name in keyof SessionSettings]: SessionSettings[Name] | null };
}

export function idOfSession({ owner, key }: SessionRef): string {
  return JSON.stringify([owner, key]);
}

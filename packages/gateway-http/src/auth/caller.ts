import { SCOPES, type Scope } from "../config/schema-auth.ts";

/** Who sent a request, and what it may do. */
export interface Caller {
  /**
   * The owner of the sessions, runs and stored answers that this caller makes; another owner's do not exist for it.
   * `operator` came with the gateway's token or password, `local` came from this machine with `gateway.auth.mode`
   * `none`, `user:<name>` was named by a trusted proxy; other owners are ids of API keys.
   */
  readonly owner: "operator" | "local" | (string & {});
  readonly scopes: ReadonlySet<Scope>;
  /** Ids of the agents that it may use; `undefined`: all. */
  readonly agents?: ReadonlySet<string> | undefined;
  readonly limits: CallerLimits;
  /** When its key ends, in milliseconds since the epoch; absent: never. */
  readonly expiresAt?: number | undefined;
}

/** Absent: none but those that all callers share. */
export interface CallerLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly concurrentRuns?: number | undefined;
}

const ALL: ReadonlySet<Scope> = new Set(SCOPES);

export const OPERATOR: Caller = Object.freeze({ owner: "operator", scopes: ALL, limits: {} });
export const LOCAL: Caller = Object.freeze({ owner: "local", scopes: ALL, limits: {} });

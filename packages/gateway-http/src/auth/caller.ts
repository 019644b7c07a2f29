/** Who sent a request. */
export interface Caller {
  /**
   * The owner of the sessions, runs and stored answers that this caller makes; another owner's do not exist for it.
   * `operator` came with the gateway's token or password, `local` came from this machine with `gateway.auth.mode`
   * `none`; other owners are ids of API keys.
   */
  readonly owner: "operator" | "local" | (string & {});
}

export const OPERATOR: Caller = Object.freeze({ owner: "operator" });
export const LOCAL: Caller = Object.freeze({ owner: "local" });

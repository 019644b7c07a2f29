/** What is known of whoever asks to be let in. */
export interface Attempt {
  /** The `authorization` header. */
  authorization: string | undefined;
  /** The client's address, after trusted proxies. */
  address: string;
  /** For whoever reads of a failure. */
  requestId?: string | undefined;
  /** Whether the request came from this machine without a detour over a proxy. */
  local: boolean;
  /** Asked in mode `trusted-proxy`. Absent: no proxy can have named anybody. */
  proxyUser?: () => ProxyUser;
}

/** The user that a trusted proxy names, or why there is none: words for the operator, without what was sent. */
export type ProxyUser = { name: string } | { refusal: string };

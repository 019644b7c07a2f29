import type { Usage } from "@openclaw/protocol";

export type ErrorKind = "refusal" | "timeout" | "rate_limit" | "context_length" | "unknown";

const KINDS: Readonly<Record<string, ErrorKind>> = {
  content_filter: "refusal",
  run_timeout: "timeout",
  provider_timeout: "timeout",
  rate_limit_exceeded: "rate_limit",
  provider_rate_limited: "rate_limit",
  queue_full: "rate_limit",
  context_length_exceeded: "context_length",
};

/** What kind of failure a code of ours is, as the socket names it. */
export function toErrorKind(code: string): ErrorKind {
  return KINDS[code] ?? "unknown";
}

/** Tokens, as the socket names them; `undefined` where nobody reported any. */
export function toUsage(usage: Usage | undefined): { input: number; output: number; totalTokens: number } | undefined {
  if (!usage) return undefined;
  const { prompt_tokens: input, completion_tokens: output, total_tokens: totalTokens } = usage;
  return { input, output, totalTokens };
}

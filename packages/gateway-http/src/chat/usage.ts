import type { Usage } from "@openclaw/protocol";

/**
 * Adds one model call to the usage of a run. The sum alone would overstate the context in clients that show it, so
 * the number of calls and the last call's own figures go along.
 */
export function addUsage(sum: Usage | undefined, call: Usage): Usage {
  const prompt_tokens = (sum?.prompt_tokens ?? 0) + call.prompt_tokens;
  const completion_tokens = (sum?.completion_tokens ?? 0) + call.completion_tokens;
  const total: Usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  const cached = add(sum?.prompt_tokens_details?.cached_tokens, call.prompt_tokens_details?.cached_tokens);
  if (cached !== undefined) total.prompt_tokens_details = { cached_tokens: cached };
  const reasoning = add(
    sum?.completion_tokens_details?.reasoning_tokens,
    call.completion_tokens_details?.reasoning_tokens,
  );
  if (reasoning !== undefined) total.completion_tokens_details = { reasoning_tokens: reasoning };
  total.openclaw = {
    calls: (sum?.openclaw?.calls ?? 0) + 1,
    last: { prompt_tokens: call.prompt_tokens, completion_tokens: call.completion_tokens },
  };
  return total;
}

/** What nobody reported stays unknown: never a zero. */
function add(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

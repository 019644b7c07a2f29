import type { Usage } from "@openclaw/protocol";
import type { Attributes } from "./trace-api.ts";

/** Tokens, by the names of the GenAI semantic conventions. */
export function toUsageAttributes(usage: Usage | undefined): Attributes {
  return {
    "gen_ai.usage.input_tokens": usage?.prompt_tokens,
    "gen_ai.usage.output_tokens": usage?.completion_tokens,
    "gen_ai.usage.cache_read.input_tokens": usage?.prompt_tokens_details?.cached_tokens,
    "gen_ai.usage.reasoning.output_tokens": usage?.completion_tokens_details?.reasoning_tokens,
  };
}

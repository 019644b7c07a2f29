import type { GatewayError } from "../errors/gateway-error.ts";

/** Milliseconds that a model is passed over when its provider does not say how long it cannot. */
const BENCH_MS = 10_000;
/** Most of what a provider says is believed for so long. */
const MAX_BENCH_MS = 60_000;

/** A model is passed over from now on (`reason` and `benchedMs` are there), or answers again. */
export type OnBench = (about: { model: string; reason?: string; benchedMs?: number }) => void;

/** The models of one agent that failed and are passed over for a moment. */
export interface Bench {
  has(model: string): boolean;
  put(model: string, error: GatewayError): void;
  /** It has answered. */
  back(model: string): void;
}

/** @param now milliseconds, by a clock that only goes on */
export function createBench(onBench: OnBench, now: () => number): Bench {
  /** When each that has not answered since may be tried again. */
  const until = new Map<string, number>();
  const has = (model: string) => (until.get(model) ?? 0) > now();
  return {
    has,
    put(model, error) {
      // Never made longer without a word: who is still on it when all were tried comes off it when the log says.
      if (has(model)) return;
      const benchedMs = error.retryAfter ? Math.min(error.retryAfter * 1000, MAX_BENCH_MS) : BENCH_MS;
      until.set(model, now() + benchedMs);
      onBench({ model, reason: reasonOf(error), benchedMs });
    },
    back(model) {
      if (until.delete(model)) onBench({ model });
    },
  };
}

/** With the provider's own words where callers do not get them: whoever runs the gateway has to mend it. */
function reasonOf({ code, message, cause }: GatewayError): string {
  return `${code}: ${message}${typeof cause === "string" ? ` ${cause}` : ""}`;
}

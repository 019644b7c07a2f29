import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import { createBench, type OnBench } from "./fallbacks-bench.ts";
import type { ModelRequest, StreamModel } from "./model.ts";
import { type Begun, firstOf, startWith } from "./named-model.ts";

/** About the time before the second try; a random half to once and a half of it is waited, so that not all come back at once. */
const BACK_OFF_MS = 250;

/** Of a provider that could not now, and may be able to in a moment. */
const WORTH_A_SECOND_TRY: ReadonlySet<string> = new Set([
  "provider_overloaded",
  "provider_unreachable",
  "provider_error",
  "provider_bad_response",
]);
/** Of a provider that cannot, where another may. `provider_error` only when it may be retried: else the request is at fault. */
const WORTH_ANOTHER_MODEL: ReadonlySet<string> = new Set([
  ...WORTH_A_SECOND_TRY,
  "provider_rate_limited",
  "provider_timeout",
  "provider_auth",
  "provider_model_not_found",
]);

/** A model that may be asked, under the name that callers and the log know it by. */
export interface Candidate {
  /** `provider/model`. */
  model: string;
  stream: StreamModel;
}

export interface FallbackOptions {
  /** Told when a model is passed over from now on, and when it answers again. */
  onBench: OnBench;
  /** Milliseconds; tests have no time. @defaultValue 250 */
  backOffMs?: number | undefined;
  /** Milliseconds, by a clock that only goes on. @defaultValue `performance.now` */
  now?: (() => number) | undefined;
}

/**
 * One model of several: the first that answers. Whoever fails is passed over for a moment, and tried anyway when all of
 * them are. Until the first event nothing was said, so asking again is safe; after it nothing is asked again. What is
 * wrong with the request itself would be wrong everywhere: that error is the answer.
 */
export function withFallbacks(chain: readonly Candidate[], options: FallbackOptions): StreamModel {
  const { onBench, backOffMs = BACK_OFF_MS, now = () => performance.now() } = options;
  const bench = createBench(onBench, now);
  const [primary] = chain;

  async function find(request: ModelRequest, call: Parameters<StreamModel>[1]) {
    const free = chain.filter(({ model }) => !bench.has(model));
    const wasBenched = free[0] !== primary;
    const failures: GatewayError[] = [];
    for (const { model, stream } of free.length > 0 ? free : chain) {
      const asked = providerOf(model) === providerOf(primary?.model) ? request : withoutOptions(request);
      try {
        const begun = await begin(() => stream(asked, call), call.signal);
        bench.back(model);
        return {
          ...begun,
          about: { type: "model" as const, model, ...(model !== primary?.model && { fallback: true }) },
        };
      } catch (error) {
        if (call.signal.aborted || !(error instanceof GatewayError)) throw error;
        // Wrong with the request is what the first one finds wrong: another may only be of another kind.
        if (!isProviders(error) && failures.length === 0) throw error;
        if (isProviders(error)) bench.put(model, error);
        failures.push(error);
      }
    }
    throw errorToTell(failures, wasBenched);
  }

  /** The model's first event, if need be at the second try. */
  async function begin(stream: () => ReturnType<StreamModel>, signal: AbortSignal): Promise<Begun> {
    try {
      return await firstOf(stream());
    } catch (error) {
      if (signal.aborted || !isProviders(error) || !WORTH_A_SECOND_TRY.has(error.code)) throw error;
      // It says how long it cannot: that is longer than a caller who has another model should wait.
      if (error.retryAfter) throw error;
    }
    await sleep(backOffMs * (0.5 + Math.random()), undefined, { signal }).catch(() => signal.throwIfAborted());
    return firstOf(stream());
  }

  return (request, call) => startWith(() => find(request, call));
}

function isProviders(error: unknown): error is GatewayError {
  if (!(error instanceof GatewayError) || !WORTH_ANOTHER_MODEL.has(error.code)) return false;
  return error.code !== "provider_error" || error.retry === true;
}

/**
 * What the caller is told when nobody answered: what the first choice said. But a caller who may come again is to know
 * it: an error that says when beats that of a first choice that was known to be down, and one that may be tried again
 * beats one that may not (a refused key of one provider says nothing about the other).
 */
function errorToTell(failures: readonly GatewayError[], wasBenched: boolean): GatewayError {
  const says = wasBenched ? failures.find(({ retry, retryAfter }) => retry === true && retryAfter) : undefined;
  return says ?? failures.find(({ retry }) => retry === true) ?? (failures[0] as GatewayError);
}

/** OpenAI's own names, which every adapter knows. */
const PARAMS: ReadonlySet<string> = new Set([
  "temperature",
  "top_p",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "stop",
  "max_completion_tokens",
  "max_tokens",
  "reasoning_effort",
  "response_format",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
]);

/** Without what the agent's `params` say in the first provider's own terms: others refuse what they do not know. */
function withoutOptions(request: ModelRequest): ModelRequest {
  return {
    ...request,
    params: Object.fromEntries(Object.entries(request.params).filter(([name]) => PARAMS.has(name))),
  };
}

function providerOf(model: string | undefined): string | undefined {
  return model?.slice(0, model.indexOf("/"));
}

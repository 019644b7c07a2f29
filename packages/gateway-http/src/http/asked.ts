import type { ChatCompletion, ChatCompletionRequest } from "@openclaw/protocol";
import type { CallerLimits } from "../auth/caller.ts";
import { toCompletion } from "../chat/to-completion.ts";
import type { FrameOptions } from "../chat/to-frames.ts";
import type { CompletionStore } from "../completions/store.ts";
import { toKept } from "../completions/to-kept.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { Run } from "../runs/run.ts";
import type { RunEnd, RunHooks, RunRequest } from "../runs/run-request.ts";
import type { Runs } from "../runs/runs.ts";

/** A chat request that was checked and has found its agent and its session. */
export interface Asked {
  readonly body: ChatCompletionRequest;
  readonly requestId: string;
  readonly run: RunRequest;
  /** How the answer is written. */
  readonly frames: Omit<FrameOptions, "id" | "created">;
  /**
   * Looks again whether its caller may ask this: what it took to get here may have taken long.
   * @returns the limits that the caller has now
   * @throws GatewayError 401, 403
   */
  recheck(): CallerLimits;
  /** Why it cannot be run: an answer that is there already can be said all the same. */
  readonly refusal?: GatewayError;
}

/**
 * Starts what was asked for. With `store: true` the completion is kept before anybody is told of its end.
 * @param hooks what else is to be done by then
 * @throws GatewayError when it cannot be run
 */
export function startAsked(
  { body, requestId, run: asked, frames, recheck, refusal }: Asked,
  { runs, completions }: { runs: Runs; completions: CompletionStore },
  hooks?: RunHooks,
): Run {
  const request = { ...asked, limits: recheck() };
  if (refusal) throw refusal;
  if (body.store !== true) return runs.start(hooks ? { ...request, hooks } : request);
  const run = runs.start({
    ...request,
    needsText: true,
    hooks: {
      ...hooks,
      async beforeEnd(end) {
        const kept = toKept(completionOf(run, end, frames), body, { owner: request.session.owner, requestId });
        await Promise.all([completions.putCompletion(kept, body.messages), hooks?.beforeEnd(end)]);
      },
    },
  });
  return run;
}

/** The body of an answer that is not streamed. */
export function completionOf(
  { id, created }: Run,
  end: RunEnd,
  { model, reasoning }: Pick<FrameOptions, "model" | "reasoning">,
): ChatCompletion {
  return toCompletion({ id, created, model, reasoning, ...end });
}

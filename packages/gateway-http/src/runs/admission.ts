import { GatewayError } from "../errors/gateway-error.ts";
import type { RunRequest } from "./run-request.ts";
import { createSlots, type RunLimits, type Slots } from "./slots.ts";

/** Decides whether another run may be started at all, and when it may begin. Nothing is kept of one that may not. */
export interface Admission {
  /**
   * Counts a run. The returned function is to be called once, when it has ended.
   * @throws GatewayError 429 `rate_limit_exceeded` when its owner has as many as it may; 503 `gateway_overloaded`
   */
  admit(request: Pick<RunRequest, "session" | "limits">): () => void;
  /** @throws GatewayError 503 `gateway_overloaded` when no run can be started now, whoever asks */
  refuseIfFull(): void;
  /** For runs that were started. */
  readonly slots: Slots;
}

/**
 * @param limits those of now: asked for each run that comes
 * @param onFull told of everyone who is refused because all places are taken
 */
export function createAdmission(limits: () => RunLimits, onFull: () => void = () => {}): Admission {
  const slots = createSlots(limits);
  /** Runs under way or waiting, for whatever they wait. */
  let total = 0;
  const byOwner = new Map<string, number>();

  function refuseIfFull(): void {
    const { concurrentRuns, queuedRuns } = limits();
    if (total >= concurrentRuns + queuedRuns) {
      onFull();
      throw slots.overloaded("All runs are taken, and so are all places to wait for one.");
    }
  }

  return {
    slots,
    refuseIfFull,
    admit({ session: { owner }, limits: own }) {
      const count = byOwner.get(owner) ?? 0;
      if (own?.concurrentRuns !== undefined && count >= own.concurrentRuns) {
        throw new GatewayError("rate_limit_exceeded", `This key may have ${own.concurrentRuns} runs at a time.`, {
          retryAfter: 1,
        });
      }
      refuseIfFull();
      total++;
      byOwner.set(owner, count + 1);
      return () => {
        total--;
        const left = (byOwner.get(owner) ?? 0) - 1;
        if (left > 0) byOwner.set(owner, left);
        else byOwner.delete(owner);
      };
    },
  };
}

import type { CallerLimits } from "../auth/caller.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createSlots, type RunLimits, type Slots } from "./slots.ts";
import { Tally } from "./tally.ts";

/** Who asks for a run. */
interface Asked {
  readonly session: { readonly owner: string };
  readonly limits?: CallerLimits | undefined;
}

/** Decides whether another run may be started at all, and when it may begin. Nothing is kept of one that may not. */
export interface Admission {
  /**
   * Counts a run. The returned function is to be called once, when it has ended.
   * @throws GatewayError 429 `rate_limit_exceeded` when its owner has as many as it may; 503 `gateway_overloaded`
   */
  admit(asked: Asked): () => void;
  /** Counts nothing, and throws what `admit` would. */
  refuse(asked: Asked): void;
  /** For runs that were started. */
  readonly slots: Slots;
}

/**
 * @param limits those of now: asked for each run that comes
 * @param onFull told of everyone who is refused because all places are taken
 */
export function createAdmission(limits: () => RunLimits, onFull?: () => void): Admission {
  const slots = createSlots(limits, onFull);
  /** Runs under way or waiting, for whatever they wait. */
  let total = 0;
  const byOwner = new Tally();

  function refuse({ session: { owner }, limits: own }: Asked): void {
    if (own?.concurrentRuns !== undefined && byOwner.of(owner) >= own.concurrentRuns) {
      throw new GatewayError("rate_limit_exceeded", `This key may have ${own.concurrentRuns} runs at a time.`, {
        retryAfter: 1,
      });
    }
    const { concurrentRuns, queuedRuns } = limits();
    if (total >= concurrentRuns + queuedRuns) {
      throw slots.overloaded("All runs are taken, and so are all places to wait for one.");
    }
  }

  return {
    slots,
    refuse,
    admit(asked) {
      refuse(asked);
      const { owner } = asked.session;
      total++;
      byOwner.add(owner);
      return () => {
        total--;
        byOwner.remove(owner);
      };
    },
  };
}

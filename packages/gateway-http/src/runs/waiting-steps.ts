import { createHash } from "node:crypto";
import type { StepEvent } from "../chat/run-event.ts";
import type { Carry, TurnMessage } from "../chat/turn.ts";
import { normalizedText } from "../sessions/message-identity.ts";
import { toTalk } from "../sessions/to-talk.ts";
import { weightOfAll } from "../sessions/transcript.ts";

/** Characters of steps that wait, of all runs together; the oldest go first. */
const MAX_WEIGHT = 16 * 1024 * 1024;

type Step = StepEvent["message"];
type Kept = Pick<WithCalls, "steps" | "carry">;

/** Whose steps they are. */
interface StepsOwner {
  readonly owner: string;
  readonly agentId: string;
}

/** How a run ended that the client is to go on with. */
interface WithCalls {
  /** Of the client's calls. */
  readonly callIds: readonly string[];
  readonly steps: readonly Step[];
  readonly carry: Carry | undefined;
}

/**
 * The agent's own steps of stateless runs that ended with calls of the client's tools. No session keeps them, and the
 * agent is to go on with them when the client comes with its results.
 */
export interface WaitingSteps {
  /** @param talk what the run answered */
  keep(owner: StepsOwner, talk: readonly TurnMessage[], ended: WithCalls): void;
  /** The talk with the steps before the calls that they led to. */
  putBack(owner: StepsOwner, talk: readonly TurnMessage[]): readonly TurnMessage[];
}

/** @param waitMs milliseconds that steps wait for their client */
export function createWaitingSteps(waitMs: number): WaitingSteps {
  /** A Map keeps the order of insertion, so the first is the oldest. */
  const waiting = new Map<string, Kept & { weight: number; until: number }>();
  let weight = 0;
  let timer: NodeJS.Timeout | undefined;

  function forget(key: string): void {
    weight -= waiting.get(key)?.weight ?? 0;
    waiting.delete(key);
  }

  function sweep(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [key, { until }] of waiting) {
      const left = until - performance.now();
      if (left > 0 && weight <= MAX_WEIGHT) {
        timer = setTimeout(sweep, left).unref();
        return;
      }
      forget(key);
    }
  }

  function put(key: string, { steps, carry }: Kept): void {
    forget(key);
    const added = weightOfAll(steps.map((message) => ({ message }))) + (carry ? JSON.stringify(carry).length : 0);
    weight += added;
    waiting.set(key, { steps, carry, weight: added, until: performance.now() + waitMs });
    if (!timer || weight > MAX_WEIGHT) sweep();
  }

  return {
    keep(owner, talk, { callIds, steps, carry }) {
      if (steps.length > 0 || carry) put(keyOf(owner, lastQuestion(talk), callIds), { steps, carry });
    },
    putBack(owner, talk) {
      if (waiting.size === 0) return talk;
      let question = "";
      const items = talk.flatMap((message) => {
        if (message.role === "user") question = normalizedText(message);
        if (message.role !== "assistant" || !message.tool_calls?.length) return [{ message }];
        const ids = message.tool_calls.map(({ id }) => id);
        const key = keyOf(owner, question, ids);
        const kept = waiting.get(key);
        if (!kept) return [{ message }];
        // Its next request comes with the same calls again.
        put(key, kept);
        const { steps, carry } = kept;
        return [
          ...steps.map((step) => ({ message: step, hidden: true })),
          { message: { ...message, ...(carry && { carry }) } },
        ];
      });
      return toTalk(items);
    },
  };
}

function lastQuestion(talk: readonly TurnMessage[]): string {
  const question = talk.findLast(({ role }) => role === "user");
  return question ? normalizedText(question) : "";
}

/** By the question too: some models give every call the same id. */
function keyOf({ owner, agentId }: StepsOwner, question: string, callIds: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([owner, agentId, question, callIds.toSorted()]))
    .digest("base64");
}

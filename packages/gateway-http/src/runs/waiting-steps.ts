import { createHash, type Hash } from "node:crypto";
import type { StepEvent } from "../chat/run-event.ts";
import type { Carry, TurnMessage } from "../chat/turn.ts";
import { normalizedText } from "../sessions/message-identity.ts";
import { toTalk } from "../sessions/to-talk.ts";
import { weightOfAll } from "../sessions/transcript.ts";

/** Characters of steps that wait, of all runs together; the oldest go first. */
const MAX_WEIGHT = 16 * 1024 * 1024;

type Step = StepEvent["message"];

/** Whose steps they are. */
interface StepsOwner {
  readonly owner: string;
  readonly agentId: string;
}

/** What a run did that ended with calls of the client's tools, besides calling them. */
interface Kept {
  readonly steps: readonly Step[];
  readonly carry: Carry | undefined;
}

/**
 * The agent's own steps of stateless runs that ended with calls of the client's tools. No session keeps them, and the
 * agent is to go on with them when the client comes with its results.
 */
export interface WaitingSteps {
  /**
   * @param talk what the run answered, as it was sent
   * @param callIds of the client's calls
   */
  keep(owner: StepsOwner, talk: readonly TurnMessage[], callIds: readonly string[], kept: Kept): void;
  /** The talk with the steps before the calls that they led to. */
  putBack(owner: StepsOwner, talk: readonly TurnMessage[]): readonly TurnMessage[];
}

/** @param waitMs milliseconds that steps wait for their client */
export function createWaitingSteps(waitMs: number): WaitingSteps {
  /** By calls, then by the talk before them. A Map keeps the order of insertion, so the first is the oldest. */
  const waiting = new Map<string, Kept & { calls: string; weight: number; until: number }>();
  /** How many wait for the same calls: without any, no talk need be read. */
  const byCalls = new Map<string, number>();
  let weight = 0;
  let timer: NodeJS.Timeout | undefined;

  function forget(key: string): void {
    const entry = waiting.get(key);
    if (!entry) return;
    waiting.delete(key);
    weight -= entry.weight;
    const others = (byCalls.get(entry.calls) ?? 1) - 1;
    if (others > 0) byCalls.set(entry.calls, others);
    else byCalls.delete(entry.calls);
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

  function put(key: string, calls: string, { steps, carry }: Kept): void {
    forget(key);
    const added = weightOfAll(steps.map((message) => ({ message }))) + (carry ? JSON.stringify(carry).length : 0);
    weight += added;
    waiting.set(key, { steps, carry, calls, weight: added, until: performance.now() + waitMs });
    byCalls.set(calls, (byCalls.get(calls) ?? 0) + 1);
    if (!timer || weight > MAX_WEIGHT) sweep();
  }

  return {
    keep(owner, talk, callIds, kept) {
      if (kept.steps.length === 0 && !kept.carry) return;
      const calls = keyOfCalls(owner, callIds);
      const digest = createDigest(talk);
      put(calls + digest(talk.length), calls, kept);
    },
    putBack(owner, talk) {
      if (waiting.size === 0) return talk;
      const digest = createDigest(talk);
      let isChanged = false;
      const items = talk.flatMap((message, index) => {
        if (message.role !== "assistant" || !message.tool_calls?.length) return [{ message }];
        const ids = message.tool_calls.map(({ id }) => id);
        const calls = keyOfCalls(owner, ids);
        const key = byCalls.has(calls) ? calls + digest(index) : undefined;
        const kept = key === undefined ? undefined : waiting.get(key);
        if (key === undefined || !kept) return [{ message }];
        isChanged = true;
        // Its next request comes with the same calls again.
        put(key, calls, kept);
        const { steps, carry } = kept;
        const hidden = steps.map((step) => ({ message: step, hidden: true }));
        return [...hidden, { message: { ...message, ...(carry && { carry }) } }];
      });
      return isChanged ? toTalk(items) : talk;
    },
  };
}

function keyOfCalls({ owner, agentId }: StepsOwner, ids: readonly string[]): string {
  return JSON.stringify([owner, agentId, ids.toSorted()]);
}

/**
 * Digests of a talk's beginnings, each message read once. Some models give their calls the same ids in every talk, and
 * one caller may speak for many people: what was said before is what tells two talks apart.
 */
function createDigest(talk: readonly TurnMessage[]): (length: number) => string {
  const hash: Hash = createHash("sha256");
  let read = 0;
  return (length) => {
    for (; read < length; read++) {
      const message = talk[read] as TurnMessage;
      const ids = message.role === "tool" ? message.tool_call_id : "";
      const calls = message.role === "assistant" ? (message.tool_calls?.map(({ id }) => id) ?? []) : [];
      const text = normalizedText(message);
      hash.update(JSON.stringify([message.role, ids, calls, text.length])).update(text);
    }
    return hash.copy().digest("base64");
  };
}

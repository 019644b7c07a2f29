import { setTimeout as sleep } from "node:timers/promises";
import { toAskText } from "../ask.ts";
import { type Figures, type LoadClient, quantile } from "./load-client.ts";
import { openEvenly } from "./paced.ts";
import { toRequestBytes } from "./request.ts";
import type { Tally } from "./stamp-reader.ts";

const TURN_TOKENS = 20;
/** A talk that grows all the time would cost more all the time. */
const TURNS_A_SESSION = 20;
/** A turn waits for its question to be kept, and for its answer. */
const COMMITS_A_TURN = 2;

/** `syncMs` is how slow the gateway's commits were made; `windowMs` is half a slice, alone and beside turns. */
export type SyncPlan = {
  syncMs: number;
  streams: number;
  pace: number;
  callers: number;
  openMs: number;
  warmMs: number;
  slices: number;
  settleMs: number;
  windowMs: number;
};

/**
 * Nobody waits for the disk but who wrote to it: streams go on beside turns of sessions whose every commit is slow, and
 * turns that come together share a commit. The streams are alone every other while: what a busy machine does to them
 * then is not the turns' doing.
 */
export async function runSync(client: LoadClient, plan: SyncPlan): Promise<Figures> {
  const runMs = plan.openMs + plan.warmMs + plan.slices * 2 * (plan.settleMs + plan.windowMs);
  const tokens = Math.ceil((plan.pace * (runMs + 2000)) / 1000);
  const opened = openEvenly(client, client.toRequest({ tokens, pace: plan.pace }), tokens, plan);
  await sleep(plan.openMs);
  const callers = createCallers(client, plan.callers);
  await callers.during(() => sleep(plan.warmMs));

  const alone: number[] = [];
  const beside: number[] = [];
  const turns: number[] = [];
  const record = async (transits: number[]) => {
    await sleep(plan.settleMs);
    callers.turns = [];
    client.tally.transits = [];
    client.tally.isRecording = true;
    await sleep(plan.windowMs);
    client.tally.isRecording = false;
    transits.push(...client.tally.transits);
    turns.push(...callers.turns);
  };
  for (let slice = 0; slice < plan.slices; slice++) {
    await record(alone);
    await callers.during(() => record(beside));
  }
  callers.end();
  await Promise.all(opened);

  const shortest = Math.min(...turns);
  if (shortest < plan.syncMs * COMMITS_A_TURN) {
    client.failures.push(`a turn took ${shortest.toFixed(1)} ms: its commits were not slow, so nothing was measured`);
  }
  const [aloneP99, besideP99] = [quantile(alone, 0.99), quantile(beside, 0.99)];
  return {
    addedP50: quantile(beside, 0.5) - quantile(alone, 0.5),
    addedP99: besideP99 - aloneP99,
    aloneP99,
    besideP99,
    besideMax: Math.max(...beside),
    turnsPerSecond: (turns.length / (plan.slices * plan.windowMs)) * 1000,
    turnP50: quantile(turns, 0.5),
  };
}

/** Callers that go from turn to turn as long as they are let, each in sessions of its own. */
function createCallers(client: LoadClient, count: number) {
  const messages = [{ role: "user" as const, content: toAskText({ tokens: TURN_TOKENS }) }];
  // Their tokens wait for the disk, as they should: they are no part of the streams' transit.
  const tally: Tally = { tokens: 0, transits: [], isRecording: false };
  const callers = Array.from({ length: count }, (_, caller) => ({ caller, socket: client.newSocket(), taken: 0 }));
  const group = {
    /** Milliseconds of each. */
    turns: [] as number[],
    async during(work: () => Promise<void>): Promise<void> {
      let isOpen = true;
      const taking = callers.map(async (one) => {
        while (isOpen && !client.isBroken) {
          const sessionKey = `bench-sync-${one.caller}-${Math.floor(one.taken++ / TURNS_A_SESSION)}`;
          const request = toRequestBytes(client.job.target, { stream: false, messages, sessionKey });
          const { firstMs } = await client.ask(one.socket, request, TURN_TOKENS, false, { tally });
          group.turns.push(firstMs);
        }
      });
      await work();
      isOpen = false;
      await Promise.all(taking);
    },
    end() {
      for (const { socket } of callers) socket.destroy();
    },
  };
  return group;
}

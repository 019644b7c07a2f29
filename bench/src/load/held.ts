import { setTimeout as sleep } from "node:timers/promises";
import type { HttpSocket } from "./http-socket.ts";
import type { Figures, LoadClient } from "./load-client.ts";
import { openEvenly } from "./paced.ts";

const HELD_AFTER = 5;
const WARM_STREAMS = 32;
const WARM_TOKENS = 8000;

export type HeldPlan = {
  streams: number;
  tokens: number;
  pace: number;
  openMs: number;
  settleMs: number;
  warmStreams: number;
};

/** What an open stream costs while nothing is said, and that none of them has lost a token when they go on. */
export async function runHeld(client: LoadClient, plan: HeldPlan): Promise<Figures> {
  // Some of the crowd has come and gone before: what a process grows by once is not what a stream costs.
  const warm = client.toRequest({ tokens: HELD_AFTER });
  await Promise.all(openEvenly(client, warm, HELD_AFTER, { streams: plan.warmStreams, openMs: 500 }));
  await sleep(plan.settleMs);
  const idle = client.readRssKib();
  const request = client.toRequest({ tokens: plan.tokens, pace: plan.pace, hold: HELD_AFTER });
  const opened = openEvenly(client, request, plan.tokens, plan);
  await untilHeld(client, plan.streams);
  await sleep(plan.settleMs);
  const held = client.readRssKib();

  const before = client.tally.tokens;
  const startedAt = performance.now();
  let peak = held;
  const sampling = setInterval(() => {
    peak = Math.max(peak, client.readRssKib());
  }, 200);
  await client.control("release");
  await Promise.all(opened);
  clearInterval(sampling);
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    streamKib: (held - idle) / plan.streams,
    peakMib: peak / 1024,
    tokensPerSecond: (client.tally.tokens - before) / seconds,
  };
}

export type StalledPlan = { readers: number; tokens: number; warmRounds: number; settleMs: number; watchMs: number };

/**
 * Readers that stop reading in the middle of an answer that could go on for hundreds of megabytes. The target's memory
 * must stay where it is, the provider must be held up, and everybody else must still be served.
 */
export async function runStalled(client: LoadClient, plan: StalledPlan): Promise<Figures> {
  await growHeap(client, plan.warmRounds);
  const sockets: HttpSocket[] = [];
  let isAbandoned = false;
  const hooks = { onSocket: (socket: HttpSocket) => sockets.push(socket), isAbandoned: () => isAbandoned };
  const request = client.toRequest({ tokens: plan.tokens, hold: HELD_AFTER });
  const asked = Array.from({ length: plan.readers }, () =>
    client.ask(client.newSocket(), request, plan.tokens, true, hooks),
  );
  await untilHeld(client, plan.readers);
  await sleep(plan.settleMs);
  const before = await readMeters(client);

  for (const socket of sockets) socket.stall();
  await client.control("release");
  const { last, isHeldUp } = await watchWriting(client, plan);

  isAbandoned = true;
  for (const socket of sockets) socket.destroy();
  await Promise.all(asked);
  await client.ask(client.newSocket(), client.toRequest({ tokens: 100 }), 100);
  return {
    growthKib: (last.rss - before.rss) / plan.readers,
    passedMib: (last.bytes - before.bytes) / plan.readers / 1024 / 1024,
    backPressure: isHeldUp ? 1 : 0,
  };
}

/**
 * Answers in plenty first. A young heap grows by some 30 MB whatever it is given, and shared out over the streams that
 * would be most of the figure.
 */
async function growHeap(client: LoadClient, rounds: number): Promise<void> {
  const request = client.toRequest({ tokens: WARM_TOKENS });
  for (let round = 0; round < rounds; round++) {
    await Promise.all(openEvenly(client, request, WARM_TOKENS, { streams: WARM_STREAMS, openMs: 0 }));
  }
}

/**
 * Until the stand-in has written nothing for a second. The sockets on the way hold some 10 MB for every reader, so a
 * slow target takes its time to get there.
 */
async function watchWriting(client: LoadClient, { readers, watchMs }: StalledPlan) {
  const giveUpAt = performance.now() + watchMs;
  let last = await readMeters(client);
  while (performance.now() < giveUpAt) {
    await sleep(1000);
    const next = await readMeters(client);
    // Silent because nobody reads, or because a target has swallowed the whole answer?
    if (next.bytes === last.bytes) return { last: next, isHeldUp: next.unfinished === readers };
    last = next;
  }
  return { last, isHeldUp: false };
}

async function readMeters(client: LoadClient) {
  const { bytes = 0, unfinished = 0 } = await client.control("stats");
  return { bytes, unfinished, rss: client.readRssKib() };
}

/** Until the stand-in has them all on hold, or streams have failed; the client's own deadline ends a wait for ever. */
async function untilHeld(client: LoadClient, streams: number): Promise<void> {
  while (((await client.control("stats")).held ?? 0) + client.failures.length < streams) await sleep(50);
}

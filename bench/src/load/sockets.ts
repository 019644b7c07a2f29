import { setTimeout as sleep } from "node:timers/promises";
import { toAskText } from "../ask.ts";
import { microsNow } from "../clock.ts";
import { readCpuMicros } from "../proc-stats.ts";
import { type Figures, type LoadClient, quantile } from "./load-client.ts";
import { type Memory, readMemory } from "./memory.ts";
import { Onlookers } from "./onlookers.ts";
import { type Target, toRequestBytes } from "./request.ts";
import { runOverSocket, type Told } from "./socket-run.ts";

const HEARD_WITHIN_MS = 30_000;
const WARM_SOCKETS = 200;
/** Longer than the gateway remembers anything of who has gone. */
const LEFT_MS = 2000;

export type SocketsPlan = {
  sockets: number;
  runs: number;
  pace: number;
  openMs: number;
  windowMs: number;
  slices: number;
  settleMs: number;
};

type Door = "socket" | "http";
type Side = { name: "Crowd" | "Alone"; target: Target; onlookers: Onlookers };
/** `tokens`, `micros` of CPU and `seconds` are those of the windows, `allMicros` those of all from begin to end. */
type Meter = {
  firsts: number[];
  transits: number[];
  tokens: number;
  micros: number;
  seconds: number;
  allMicros: number;
};

/**
 * What a thousand sockets cost that only look on: themselves, and those whose runs they look at. Two gateways are up,
 * one with the crowd and one without, and the same runs take turns on them, asked for over the socket and over HTTP.
 */
export async function runSockets(client: LoadClient, plan: SocketsPlan): Promise<Figures> {
  const { target, second } = client.job;
  if (!second) throw new Error("two gateways are needed");
  const crowd: Side = { name: "Crowd", target, onlookers: new Onlookers(client) };
  const alone: Side = { name: "Alone", target: second, onlookers: new Onlookers(client) };
  // A collection slows what comes after it: the other one is to have had it, too.
  const readBoth = async () => {
    const [memory] = await Promise.all([target, second].map(({ pid }) => readMemory(pid as number)));
    return memory as Memory;
  };
  const meters = new Map<string, Meter>();
  const take = async (side: Side, door: Door, suffix = "") => {
    const name = `${door}${side.name}${suffix}`;
    const meter = meters.get(name) ?? { firsts: [], transits: [], tokens: 0, micros: 0, seconds: 0, allMicros: 0 };
    meters.set(name, meter);
    await runSlice(client, plan, side, door, meter);
  };
  // What a process grows by once, and learns once, is not what a socket costs.
  for (const side of [crowd, alone]) {
    await side.onlookers.connect(side.target, WARM_SOCKETS);
    for (const door of ["socket", "http"] as const) await take(side, door, "Warm");
    side.onlookers.destroy();
  }
  crowd.onlookers.lags = [];
  await sleep(LEFT_MS);

  const before = await readBoth();
  const startedAt = microsNow();
  await crowd.onlookers.connect(target, plan.sockets);
  const connectMs = (microsNow() - startedAt) / 1000;
  await sleep(plan.settleMs);
  const held = await readBoth();

  const turns = [crowd, alone].flatMap((side) => (["socket", "http"] as const).map((door) => ({ side, door })));
  const events = crowd.onlookers.events;
  for (let slice = 0; slice < plan.slices && !client.isBroken; slice++) {
    for (const { side, door } of slice % 2 === 0 ? turns : turns.toReversed()) await take(side, door);
  }
  const { missed, lags } = crowd.onlookers;
  const heard = crowd.onlookers.events - events;
  crowd.onlookers.destroy();
  await sleep(LEFT_MS);
  const left = await readBoth();
  for (let slice = 0; slice < plan.slices && !client.isBroken; slice++) {
    for (const side of slice % 2 === 0 ? [alone, crowd] : [crowd, alone]) await take(side, "http", "Left");
  }

  const allOf = (side: string) =>
    (meters.get(`socket${side}`)?.allMicros ?? 0) + (meters.get(`http${side}`)?.allMicros ?? 0);
  const figures: Figures = Object.fromEntries([...meters].flatMap(([name, meter]) => toFigures(name, meter)));
  const { socketCrowdP50 = 0, socketCrowdP99 = 0, socketAloneP50 = 0, socketAloneP99 = 0 } = figures;
  const { httpCrowdP50 = 0, httpCrowdP99 = 0, httpAloneP50 = 0, httpAloneP99 = 0 } = figures;
  const { httpCrowdLeftMicros = 0, httpAloneLeftMicros = 0, socketCrowdShare = 0 } = figures;
  return {
    ...figures,
    targetShare: socketCrowdShare,
    connectMs: (connectMs * 1000) / plan.sockets,
    heapKib: (held.heap - before.heap) / 1024 / plan.sockets,
    rssKib: (held.rss - before.rss) / 1024 / plan.sockets,
    addedP50: socketCrowdP50 - socketAloneP50,
    addedP99: socketCrowdP99 - socketAloneP99,
    httpAddedP50: httpCrowdP50 - httpAloneP50,
    httpAddedP99: httpCrowdP99 - httpAloneP99,
    eventsARun: heard / (plan.slices * 2 * plan.runs * plan.sockets),
    eventMicros: (allOf("Crowd") - allOf("Alone")) / heard,
    missed,
    lagP50: quantile(lags, 0.5),
    lagP99: quantile(lags, 0.99),
    leftHeapMib: (left.heap - before.heap) / 2 ** 20,
    leftRatio: httpCrowdLeftMicros / httpAloneLeftMicros,
  };
}

/** A new one for every run, among all of this process. */
let sessions = 0;

/** Runs that begin evenly over a while, then a window in which all of them go on, then their ends. */
async function runSlice(client: LoadClient, plan: SocketsPlan, side: Side, door: Door, meter: Meter): Promise<void> {
  const { tally } = client;
  const pid = side.target.pid as number;
  const cpuBefore = readCpuMicros(pid);
  const tokens = Math.ceil((plan.pace * (plan.openMs + plan.windowMs + 500)) / 1000);
  const begun = Array.from({ length: plan.runs }, async (_, position) => {
    await sleep((position * plan.openMs) / plan.runs);
    const sessionKey = `agent:main:bench-${sessions++}`;
    const run = door === "socket" ? runOverSocket : runOverHttp;
    const said = await run(client, side.target, sessionKey, { tokens, pace: plan.pace });
    side.onlookers.expect(sessionKey, said);
    return said.firstMs;
  });
  await sleep(plan.openMs + 200);
  tally.transits = [];
  tally.isRecording = true;
  const start = { micros: microsNow(), cpu: readCpuMicros(pid), tokens: tally.tokens };
  await sleep(plan.windowMs);
  tally.isRecording = false;
  meter.seconds += (microsNow() - start.micros) / 1e6;
  meter.micros += readCpuMicros(pid) - start.cpu;
  meter.tokens += tally.tokens - start.tokens;
  meter.transits.push(...tally.transits);
  meter.firsts.push(...(await Promise.all(begun)));
  await side.onlookers.untilHeard(HEARD_WITHIN_MS);
  meter.allMicros += readCpuMicros(pid) - cpuBefore;
}

/** The same run for an HTTP caller. */
async function runOverHttp(
  client: LoadClient,
  target: Target,
  sessionKey: string,
  ask: { tokens: number; pace: number },
): Promise<Told> {
  const messages = [{ role: "user" as const, content: toAskText(ask) }];
  const socket = client.newSocket(target);
  const request = toRequestBytes(target, { stream: true, messages, sessionKey });
  const { firstMs } = await client.ask(socket, request, ask.tokens);
  const at = microsNow();
  socket.destroy();
  return { text: undefined, tokens: ask.tokens, at, firstMs };
}

function toFigures(name: string, { firsts, transits, tokens, micros, seconds }: Meter): [string, number][] {
  return [
    [`${name}First`, quantile(firsts, 0.5)],
    [`${name}FirstP99`, quantile(firsts, 0.99)],
    [`${name}P50`, quantile(transits, 0.5)],
    [`${name}P99`, quantile(transits, 0.99)],
    [`${name}Micros`, micros / tokens],
    [`${name}Share`, micros / 1e6 / seconds],
  ];
}

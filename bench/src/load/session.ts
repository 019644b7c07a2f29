import type { HttpSocket } from "./http-socket.ts";
import { type Figures, type LoadClient, quantile } from "./load-client.ts";
import { type Kind, Talk } from "./talk.ts";

const CALLERS = 32;
const KINDS: readonly Kind[] = ["kept", "told", "bare"];

/** `talksAlone` and `talksEach` are what one caller, and each of 32, goes through in one slice. */
export type SessionPlan = {
  turns: number;
  tokens: number;
  warmTalks: number;
  slices: number;
  talksAlone: number;
  talksEach: number;
  firstTokens: number;
  firstPace: number;
  firstWarmTalks: number;
  firstTalks: number;
};

/**
 * What a session costs a turn: CPU above a stateless turn, answers a second, and its first token.
 *
 * A stateful request says only what is new, and the provider is sent the whole talk. No stateless turn is the same but for
 * the session, so two are taken away, and what the session costs is between them:
 * - `told` makes the provider see the same messages, and sends them itself. What a gateway spends on reading that longer
 *   request is taken away too. It is what a caller has to choose between, and what the limit is for.
 * - `bare` is the same request, and the provider sees no more. What is spent on sending it the whole talk stays in.
 *
 * All in one process, slice by slice in turn: a machine's speed, and how warm the process is, are the same for all.
 */
export async function runSession(client: LoadClient, plan: SessionPlan): Promise<Figures> {
  const talk = new Talk(client.job.target, { tokens: plan.tokens }, { turns: plan.turns, stream: false });
  const crowd = Array.from({ length: CALLERS }, () => client.newSocket());
  const alone = { sockets: crowd.slice(0, 1), talks: plan.talksAlone, meters: createMeters() };
  const together = { sockets: crowd, talks: plan.talksEach, meters: createMeters() };
  for (const kind of KINDS) await runSlice(client, talk, kind, { ...together, talks: plan.warmTalks });
  for (let slice = 0; slice < plan.slices; slice++) {
    for (const callers of [alone, together]) {
      for (const index of KINDS.keys()) {
        const kind = KINDS[(index + slice) % KINDS.length] as Kind;
        addUp(callers.meters[kind], await runSlice(client, talk, kind, callers));
      }
    }
  }
  for (const { meters } of [alone, together]) {
    if (meters.kept.messages === meters.told.messages) continue;
    client.failures.push(`sessions sent ${meters.kept.messages} messages, not ${meters.told.messages}`);
  }
  const firsts = await readFirstTokens(client, plan, crowd[0] as HttpSocket);
  for (const socket of crowd) socket.destroy();
  const { kept } = together.meters;
  return {
    ...toCosts("Alone", alone.meters),
    ...toCosts("Together", together.meters),
    answersPerSecond: kept.turns / kept.seconds,
    loadShare: kept.loadSeconds / kept.seconds,
    targetShare: kept.micros / 1e6 / kept.seconds,
    ...firsts,
  };
}

type Meter = { turns: number; seconds: number; micros: number; loadSeconds: number; messages: number };
type Meters = Record<Kind, Meter>;
type Callers = { sockets: HttpSocket[]; talks: number };

/** Whole talks, so that every slice has as many turns of each length. */
async function runSlice(client: LoadClient, talk: Talk, kind: Kind, { sockets, talks }: Callers): Promise<Meter> {
  const before = await client.control("stats");
  const closeWindow = client.openWindow();
  const counts = await Promise.all(
    sockets.map(async (socket) => {
      let turns = 0;
      for (let count = 0; count < talks; count++) turns += (await talk.run(client, socket, kind)).length;
      return turns;
    }),
  );
  const { seconds = 0, targetCpuMicros = 0, loadShare = 0 } = closeWindow();
  const after = await client.control("stats");
  return {
    turns: counts.reduce((sum, turns) => sum + turns, 0),
    seconds,
    micros: targetCpuMicros,
    loadSeconds: loadShare * seconds,
    messages: (after.messages ?? 0) - (before.messages ?? 0),
  };
}

function createMeters(): Meters {
  const create = () => ({ turns: 0, seconds: 0, micros: 0, loadSeconds: 0, messages: 0 });
  return { kept: create(), told: create(), bare: create() };
}

function addUp(sum: Meter, more: Meter): void {
  for (const name of Object.keys(sum) as (keyof Meter)[]) sum[name] += more[name];
}

function toCosts(name: string, { kept, told, bare }: Meters): Figures {
  const each = ({ micros, turns }: Meter) => micros / turns;
  return {
    [`turn${name}`]: each(kept),
    [`aboveTold${name}`]: each(kept) - each(told),
    [`aboveBare${name}`]: each(kept) - each(bare),
  };
}

/** One caller, streamed: with a session, and the same talk without one. */
async function readFirstTokens(client: LoadClient, plan: SessionPlan, socket: HttpSocket): Promise<Figures> {
  const ask = { tokens: plan.firstTokens, pace: plan.firstPace };
  const talk = new Talk(client.job.target, ask, { turns: plan.turns, stream: true });
  const firsts: Record<"kept" | "told", number[]> = { kept: [], told: [] };
  for (let count = 0; count < plan.firstWarmTalks + plan.firstTalks; count++) {
    for (const kind of ["kept", "told"] as const) {
      const answers = await talk.run(client, socket, kind);
      if (count >= plan.firstWarmTalks) firsts[kind].push(...answers.map(({ firstMs }) => firstMs));
    }
  }
  return {
    firstP50: quantile(firsts.kept, 0.5),
    firstP99: quantile(firsts.kept, 0.99),
    firstToldP50: quantile(firsts.told, 0.5),
  };
}

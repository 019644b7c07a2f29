import type { ManySessionsPlan } from "./load/many-sessions.ts";
import type { SessionPlan } from "./load/session.ts";
import type { SyncPlan } from "./load/sync.ts";
import type { Scenario } from "./scenario.ts";
import { seedSessions } from "./seed.ts";

const first = { firstTokens: 3, firstPace: 250 };

const session: Scenario<SessionPlan> = {
  name: "session",
  target: "gateway",
  full: {
    turns: 20,
    tokens: 20,
    warmTalks: 6,
    slices: 9,
    talksAlone: 10,
    talksEach: 2,
    ...first,
    firstWarmTalks: 3,
    firstTalks: 15,
  },
  quick: {
    turns: 20,
    tokens: 20,
    warmTalks: 4,
    slices: 3,
    talksAlone: 10,
    talksEach: 2,
    ...first,
    firstWarmTalks: 3,
    firstTalks: 8,
  },
  deadlineMs: 240_000,
  rows: [
    { label: "turn of a session, 1 caller: CPU µs", figure: "turnAlone" },
    {
      label: "– above stateless with the same prompt",
      figure: "aboveToldAlone",
      bound: { of: "itself", sense: "max", gate: 250, aim: 150 },
    },
    { label: "– above stateless with the same request", figure: "aboveBareAlone" },
    { label: "– first token, p50 ms", figure: "firstP50", bound: { of: "itself", sense: "max", gate: 4, aim: 1.5 } },
    { label: "– first token, p99 ms", figure: "firstP99" },
    { label: "– first token, stateless with the same prompt, p50 ms", figure: "firstToldP50" },
    { label: "turn of a session, 32 callers: CPU µs", figure: "turnTogether" },
    {
      label: "– above stateless with the same prompt",
      figure: "aboveToldTogether",
      bound: { of: "itself", sense: "max", gate: 250, aim: 150 },
    },
    { label: "– above stateless with the same request", figure: "aboveBareTogether" },
    { label: "– answers/s", figure: "answersPerSecond", bound: { of: "itself", sense: "min", gate: 600, aim: 1200 } },
  ],
};

const slowSync = new URL("./slow-sync.ts", import.meta.url).href;
const slow = { syncMs: 20, streams: 50, pace: 20, callers: 8, openMs: 1000, settleMs: 200, windowMs: 1500 };

const sync: Scenario<SyncPlan> = {
  name: "sync",
  target: "gateway",
  gateways: ({ syncMs }) => [{ preload: `${slowSync}?ms=${syncMs}` }],
  full: { ...slow, warmMs: 2000, slices: 4 },
  quick: { ...slow, warmMs: 1000, slices: 2 },
  deadlineMs: 60_000,
  rows: [
    // Streams that wait for a sync have most of its 20 ms in the first, and several syncs in the second.
    {
      label: "sync of 20 ms, 50 streams: transit of a token, p50 ms, added by turns",
      figure: "addedP50",
      bound: { of: "itself", sense: "max", gate: 5, aim: 1 },
    },
    {
      label: "– p99 ms, added by turns",
      figure: "addedP99",
      bound: { of: "itself", sense: "max", gate: 10, aim: 3 },
    },
    { label: "– p99 ms, without turns", figure: "aloneP99" },
    { label: "– p99 ms, beside turns", figure: "besideP99" },
    { label: "– most ms, beside turns", figure: "besideMax" },
    // One commit after another it would be 25.
    {
      label: "– turns/s of 8 callers",
      figure: "turnsPerSecond",
      bound: { of: "itself", sense: "min", gate: 50, aim: 80 },
    },
    { label: "– a turn, p50 ms", figure: "turnP50" },
  ],
};

const manySessions: Scenario<ManySessionsPlan> = {
  name: "many-sessions",
  target: "gateway",
  gateways: ({ sessions, messages, others }) =>
    [0, others].map((count) => ({
      // Above all that is there: nothing of it is to be removed.
      sessions: { maxEntries: 1_000_000 },
      prepare: (folder) => seedSessions(folder, { sessions, messages, others: count }),
    })),
  full: { sessions: 500, messages: 20, others: 100_000, warmTurns: 100, tokens: 3, pace: 250, statelessRequests: 1000 },
  quick: { sessions: 250, messages: 20, others: 100_000, warmTurns: 50, tokens: 3, pace: 250, statelessRequests: 1000 },
  deadlineMs: 180_000,
  rows: [
    { label: "first token of a session not in memory, no others: p50 ms", figure: "fewP50" },
    { label: "– with 100,000 other sessions, p50 ms", figure: "manyP50" },
    { label: "– ratio of the two", figure: "ratio", bound: { of: "itself", sense: "max", gate: 1.2, aim: 1.05 } },
    { label: "– with none, p99 ms", figure: "fewP99" },
    { label: "– with 100,000, p99 ms", figure: "manyP99" },
  ],
};

/** What only the gateway has. */
export const sessionScenarios: Scenario[] = [session, sync, manySessions];

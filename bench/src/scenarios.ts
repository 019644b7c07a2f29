import type { FirstTokenPlan } from "./load/first-token.ts";
import type { FlatOutPlan } from "./load/flat-out.ts";
import type { HeldPlan, StalledPlan } from "./load/held.ts";
import type { BurstPlan, PacedPlan } from "./load/paced.ts";
import type { Scenario } from "./scenario.ts";
import { sessionScenarios } from "./session-scenarios.ts";
import { socketScenario } from "./socket-scenario.ts";

export type IdlePlan = { starts: number; settleMs: number };

const flatOut: Scenario<FlatOutPlan> = {
  name: "flat-out",
  isSaturating: true,
  full: { streams: 50, tokens: 2000, warmMs: 1500, windowMs: 4000, stream: true },
  quick: { streams: 50, tokens: 2000, warmMs: 1000, windowMs: 1500, stream: true },
  deadlineMs: 40_000,
  rows: [
    {
      label: "flat out, 50 streams: tokens/s",
      figure: "tokensPerSecond",
      bound: { of: "floor", sense: "min", gate: 0.45, aim: 0.75 },
    },
    { label: "– CPU µs a token", figure: "cpuMicrosPerToken" },
  ],
};

const paced: Scenario<PacedPlan> = {
  name: "paced",
  // 10,000 tokens a second: at twice that the slower half of a gateway's field no longer fits one core.
  full: { streams: 500, pace: 20, openMs: 1000, warmMs: 1000, windowMs: 4000 },
  quick: { streams: 500, pace: 20, openMs: 1000, warmMs: 500, windowMs: 2000 },
  deadlineMs: 40_000,
  rows: [
    {
      label: "paced, 500 streams: CPU µs a token",
      figure: "cpuMicrosPerToken",
      bound: { of: "floor", sense: "max", gate: 1.35, aim: 1.15 },
    },
    { label: "– tokens/s that came", figure: "tokensPerSecond" },
    { label: "– transit of a token, p50 ms", figure: "transitP50" },
    { label: "– transit of a token, p99 ms", figure: "transitP99" },
  ],
};

/** The same with an agent that has tools and does not use them: the loop that would run them is on the way. */
const pacedTools: Scenario<PacedPlan> = {
  ...paced,
  name: "paced-tools",
  gateways: () => [{ tools: true }],
  rows: [
    {
      label: "paced, agent with 12 tools: CPU µs a token",
      figure: "cpuMicrosPerToken",
      bound: { of: "floor", sense: "max", gate: 1.5, aim: 1.2 },
    },
  ],
};

const flatOutTools: Scenario<FlatOutPlan> = {
  ...flatOut,
  name: "flat-out-tools",
  gateways: () => [{ tools: true }],
  rows: [
    { label: "flat out, agent with 12 tools: tokens/s", figure: "tokensPerSecond" },
    { label: "– CPU µs a token", figure: "cpuMicrosPerToken" },
  ],
};

const firstToken: Scenario<FirstTokenPlan> = {
  name: "first-token",
  full: { warmRequests: 100, requests: 300, tokens: 3, pace: 250 },
  quick: { warmRequests: 50, requests: 150, tokens: 3, pace: 250 },
  deadlineMs: 60_000,
  rows: [
    { label: "first token, 1 stream: p50 ms", figure: "firstP50" },
    {
      label: "– added to direct, p50 ms",
      figure: "firstP50",
      aboveDirect: true,
      bound: { of: "floor", sense: "max", gate: 2.5, aim: 1.5 },
    },
    { label: "– added to direct, p99 ms", figure: "firstP99", aboveDirect: true },
  ],
};

const burst: Scenario<BurstPlan> = {
  name: "burst",
  full: { streams: 500, tokens: 15, pace: 10, openMs: 1000 },
  quick: { streams: 500, tokens: 11, pace: 10, openMs: 1000 },
  deadlineMs: 40_000,
  rows: [
    { label: "first token, 500 opening in 1 s: p50 ms", figure: "firstP50" },
    { label: "– p99 ms", figure: "firstP99", bound: { of: "floor", sense: "max", gate: 2.5, aim: 1.5 } },
  ],
};

const json: Scenario<FlatOutPlan> = {
  name: "json",
  isSaturating: true,
  // The optimizing compiler needs some seconds of small requests before their cost stays the same.
  full: { streams: 128, tokens: 20, warmMs: 3000, windowMs: 4000, stream: false },
  quick: { streams: 128, tokens: 20, warmMs: 2000, windowMs: 1500, stream: false },
  deadlineMs: 40_000,
  rows: [
    {
      label: "JSON, 128 at a time: requests/s",
      figure: "answersPerSecond",
      bound: { of: "floor", sense: "min", gate: 0.45, aim: 0.7 },
    },
    { label: "– CPU µs a request", figure: "cpuMicrosPerAnswer" },
  ],
};

const held: Scenario<HeldPlan> = {
  name: "held",
  full: { streams: 2000, tokens: 20, pace: 5, openMs: 2500, settleMs: 1500, warmStreams: 500 },
  quick: { streams: 2000, tokens: 13, pace: 5, openMs: 1500, settleMs: 500, warmStreams: 500 },
  deadlineMs: 60_000,
  rows: [
    {
      label: "open stream, 2,000 held: KiB",
      figure: "streamKib",
      bound: { of: "itself", sense: "max", gate: 45, aim: 34 },
    },
    { label: "– most memory, MiB", figure: "peakMib", bound: { of: "itself", sense: "max", gate: 320, aim: 260 } },
    {
      label: "– tokens/s when they go on, ÷ direct",
      figure: "tokensPerSecond",
      bound: { of: "direct", sense: "min", gate: 0.99, aim: 0.99 },
    },
  ],
};

const stalled: Scenario<StalledPlan> = {
  name: "stalled",
  // Long enough for a gateway that merges tokens: a dozen bytes each, they go a long way in a socket's 4 MB.
  full: { readers: 8, tokens: 2_000_000, warmRounds: 6, settleMs: 1000, watchMs: 40_000 },
  quick: { readers: 8, tokens: 2_000_000, warmRounds: 4, settleMs: 500, watchMs: 25_000 },
  deadlineMs: 90_000,
  rows: [
    {
      label: "reader that does not read: growth KiB",
      figure: "growthKib",
      bound: { of: "itself", sense: "max", gate: 256, aim: 128 },
    },
    {
      label: "– provider held up (1 = yes)",
      figure: "backPressure",
      bound: { of: "itself", sense: "min", gate: 1, aim: 1 },
    },
    { label: "– under way when it was, MiB", figure: "passedMib" },
  ],
};

const idle: Scenario<IdlePlan> = {
  name: "idle",
  full: { starts: 2, settleMs: 1000 },
  quick: { starts: 2, settleMs: 500 },
  deadlineMs: 60_000,
  rows: [
    { label: "idle, MiB", figure: "idleMib", bound: { of: "itself", sense: "max", gate: 120, aim: 95 } },
    { label: "cold start, ms", figure: "coldStartMs", bound: { of: "itself", sense: "max", gate: 500, aim: 350 } },
  ],
};

const common = [flatOut, paced, flatOutTools, pacedTools, firstToken, burst, json, held, stalled, idle];
export const scenarios: Scenario[] = [...common, ...sessionScenarios, socketScenario];

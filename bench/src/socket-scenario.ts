import type { SocketsPlan } from "./load/sockets.ts";
import type { Scenario } from "./scenario.ts";

const probe = new URL("./heap-probe.ts", import.meta.url).href;
const crowd = { sockets: 1000, runs: 50, pace: 20, openMs: 1000, settleMs: 1500 };

/** A thousand sockets of the same token that only look on, and the same runs with and without them. */
export const socketScenario: Scenario<SocketsPlan> = {
  name: "sockets",
  target: "gateway",
  gateways: () => [{ preload: probe }, { preload: probe }],
  full: { ...crowd, windowMs: 3000, slices: 3 },
  quick: { ...crowd, windowMs: 2000, slices: 1 },
  deadlineMs: 300_000,
  rows: [
    {
      label: "idle socket, 1,000 open: KiB in use",
      figure: "heapKib",
      bound: { of: "itself", sense: "max", gate: 16, aim: 12 },
    },
    { label: "– KiB resident", figure: "rssKib", bound: { of: "itself", sense: "max", gate: 64, aim: 40 } },
    { label: "– ms until all have said hello", figure: "connectMs" },
    { label: "– MiB in use when all have left, above before", figure: "leftHeapMib" },
    { label: "50 runs over the socket, nobody looks on: first token, p50 ms", figure: "socketAloneFirst" },
    { label: "– 1,000 look on, p50 ms", figure: "socketCrowdFirst" },
    { label: "– nobody looks on, p99 ms", figure: "socketAloneFirstP99" },
    { label: "– 1,000 look on, p99 ms", figure: "socketCrowdFirstP99" },
    { label: "– transit of a token, nobody looks on, p50 ms", figure: "socketAloneP50" },
    { label: "– added by 1,000 who look on, p50 ms", figure: "addedP50" },
    { label: "– nobody looks on, p99 ms", figure: "socketAloneP99" },
    {
      label: "– added by 1,000 who look on, p99 ms",
      figure: "addedP99",
      bound: { of: "itself", sense: "max", gate: 50, aim: 20 },
    },
    { label: "– CPU µs a token, nobody looks on", figure: "socketAloneMicros" },
    { label: "– CPU µs a token, 1,000 look on", figure: "socketCrowdMicros" },
    { label: "50 runs over HTTP, no sockets: transit of a token, p50 ms", figure: "httpAloneP50" },
    { label: "– added by 1,000 who look on, p50 ms", figure: "httpAddedP50" },
    { label: "– no sockets, p99 ms", figure: "httpAloneP99" },
    {
      label: "– added by 1,000 who look on, p99 ms",
      figure: "httpAddedP99",
      bound: { of: "itself", sense: "max", gate: 50, aim: 20 },
    },
    { label: "– CPU µs a token, no sockets", figure: "httpAloneMicros" },
    { label: "– CPU µs a token, 1,000 look on", figure: "httpCrowdMicros" },
    {
      label: "– CPU a token when all have left ÷ never there",
      figure: "leftRatio",
      bound: { of: "itself", sense: "max", gate: 1.25, aim: 1.1 },
    },
    { label: "who looks on: events of a run", figure: "eventsARun" },
    { label: "– CPU µs an event", figure: "eventMicros" },
    { label: "– events left out", figure: "missed", bound: { of: "itself", sense: "max", gate: 0, aim: 0 } },
    { label: "– end of a run after who asked, p50 ms", figure: "lagP50" },
    { label: "– p99 ms", figure: "lagP99", bound: { of: "itself", sense: "max", gate: 5000, aim: 2500 } },
  ],
};

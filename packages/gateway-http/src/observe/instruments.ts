import { collectDefaultMetrics, type Metric, Registry } from "prom-client";
import { VERSION } from "../version.ts";
import { BUCKETS, type Figures, type Times } from "./figures.ts";

/** What is as it is at the moment somebody asks. */
export interface Readings {
  /** Runs under way: none that waits, neither for a place nor for its session. */
  runsActive(): number;
  /** Runs that wait for one of all to end. */
  queueWaiting(): number;
  lanesBusy(): number;
  lanesWaiting(): number;
  streamsOpen(): number;
  socketsOpen(): number;
}

/** One line of a family. */
interface Sample {
  labels: Record<string, string | number>;
  value: number;
  /** Where it is not the family's. */
  metricName?: string;
}

/** Codes of a provider's own failures. Other ends of a call are the caller's (`context_length_exceeded`) or ours. */
const FAULT = /^provider_/;

/** What concerns the process: made once, however many gateways run in it. */
let ofProcess: Registry | undefined;

/** Makes what writes all figures in Prometheus' text format. */
export function createInstruments(figures: Figures, readings: Readings): () => Promise<string> {
  const registry = new Registry();
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  const processMetrics = ofProcess;

  /** A family that was counted already. All that prom-client's registry asks of one is these. */
  function add(
    type: "counter" | "gauge" | "histogram",
    bare: string,
    help: string,
    read: () => Iterable<Sample>,
  ): void {
    const name = `openclaw_${bare}`;
    const get = async () => ({ name, help, type, values: [...read()], aggregator: "sum" });
    registry.registerMetric({ name, get } as unknown as Metric);
  }
  const gauge = (name: string, help: string, read: () => number) =>
    add("gauge", name, help, () => [{ labels: {}, value: read() }]);
  const histogram = (name: string, help: string, read: () => Iterable<[Record<string, string>, Times]>) =>
    add("histogram", name, help, () =>
      [...read()].flatMap(([labels, times]) => toSamples(`openclaw_${name}`, labels, times)),
    );

  const agents = figures.agents;
  const providers = figures.providers;
  add("counter", "runs_total", "Runs that ended, by how.", () =>
    Array.from(agents).flatMap(([agent, { outcomes }]) => toCounts(outcomes, (outcome) => ({ agent, outcome }))),
  );
  histogram("run_duration_seconds", "From a run's request to its end.", () =>
    Array.from(agents, ([agent, { took }]) => [{ agent }, took]),
  );
  histogram("first_token_seconds", "From a streamed run's request to its agent's first event.", () =>
    Array.from(agents, ([agent, { firstToken }]) => [{ agent }, firstToken]),
  );
  add("counter", "tokens_total", "Tokens as providers reported them; cached are part of input.", () =>
    Array.from(agents).flatMap(([agent, { tokens }]) => toCounts(tokens, (type) => ({ agent, type }))),
  );
  const callsBy = () =>
    Array.from(providers).flatMap(([provider, { codes }]) => toCounts(codes, (code) => ({ provider, code })));
  add("counter", "provider_requests_total", "Calls of a provider that ended; code is ok or the error's.", callsBy);
  add("counter", "provider_errors_total", "Calls that a provider failed, also where another answered.", () =>
    callsBy().filter(({ labels }) => FAULT.test(labels.code)),
  );
  histogram("provider_request_duration_seconds", "From a provider's call to its end.", () =>
    Array.from(providers, ([provider, { took }]) => [{ provider }, took]),
  );
  add("counter", "http_requests_total", "Requests that ended. 499: the client left before an answer.", () =>
    Array.from(figures.requests.values(), ({ count, ...labels }) => ({ labels, value: count })),
  );
  add("counter", "auth_failures_total", "Requests whose credentials were refused, by why.", () =>
    toCounts(figures.authFailures, (reason) => ({ reason })),
  );
  gauge("runs_active", "Runs under way, without those that wait.", readings.runsActive);
  gauge("queue_waiting", "Runs that wait for one of all to end.", readings.queueWaiting);
  gauge("lanes_busy", "Sessions with a run under way.", readings.lanesBusy);
  gauge("lanes_waiting", "Runs that wait for their session's turn.", readings.lanesWaiting);
  gauge("streams_open", "Streamed answers under way.", readings.streamsOpen);
  gauge("sockets_open", "WebSockets, those too that have not said hello.", readings.socketsOpen);
  add("gauge", "build_info", "1, and the version.", () => [{ labels: { version: VERSION }, value: 1 }]);

  return async () => `${await registry.metrics()}\n${await processMetrics.metrics()}`;
}

function toCounts<L extends Sample["labels"]>(counts: ReadonlyMap<string, number>, toLabels: (kind: string) => L) {
  return Array.from(counts, ([kind, value]) => ({ labels: toLabels(kind), value }));
}

/** Nothing where there was no time: a histogram of zeros would say that something is there to be timed. */
function toSamples(name: string, labels: Sample["labels"], { buckets, sum }: Times): Sample[] {
  let count = 0;
  const samples = buckets.map((more, index) => {
    count += more;
    return { metricName: `${name}_bucket`, labels: { le: BUCKETS[index] ?? "+Inf", ...labels }, value: count };
  });
  if (count === 0) return [];
  return [
    ...samples,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

import type { Usage } from "@openclaw/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { VERSION } from "../version.ts";
import { keepFew } from "./keep-few.ts";

/** What is as it is at the moment somebody asks. */
export interface Readings {
  /** Runs under way: none that waits, neither for a place nor for its session. */
  runsActive(): number;
  /** Runs that wait for one of all to end. */
  queueWaiting(): number;
  lanesBusy(): number;
  lanesWaiting(): number;
  streamsOpen(): number;
}

/** How a run ended. Times are milliseconds. */
export interface RunFigures {
  agent: string;
  /** The finish reason, or the error's code. */
  outcome: string;
  ms: number;
  /** Of a streamed run that said something. */
  firstTokenMs?: number | undefined;
  usage: Usage | undefined;
}

/** How one call of a provider ended. */
export interface CallFigures {
  provider: string;
  /** The error's; absent for an answer. */
  code?: string | undefined;
  ms: number;
}

/** How a request ended. */
export interface RequestFigures {
  /** The route's pattern; absent where there is none. */
  route: string | undefined;
  method: string;
  status: number;
}

/** Seconds. From an agent that answers by itself to one that works for minutes. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Names of agents and providers that are told apart: configs change, and code may run agents of any name. */
const MAX_NAMES = 200;
/** Codes of a provider's own failures. Other ends of a call are the caller's (`context_length_exceeded`) or ours. */
const FAULT = /^provider_/;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** What concerns the process: made once, however many gateways run in it. */
let ofProcess: Registry | undefined;

export interface Instruments {
  run(figures: RunFigures): void;
  call(figures: CallFigures): void;
  request(figures: RequestFigures): void;
  authFailure(reason: string): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
}

/** The counters of one gateway, and what reads them. */
export function createInstruments(readings: Readings): Instruments {
  const registry = new Registry();
  const registers = [registry];
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  const processMetrics = ofProcess;

  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `openclaw_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name: `openclaw_${name}`, help, labelNames, buckets: BUCKETS, registers });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `openclaw_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const runs = counter("runs_total", "Runs that ended, by how.", ["agent", "outcome"]);
  const runSeconds = histogram("run_duration_seconds", "From a run's request to its end.", ["agent"]);
  const firstToken = histogram("first_token_seconds", "From a streamed run's request to its agent's first event.", [
    "agent",
  ]);
  const tokens = counter("tokens_total", "Tokens as providers reported them; cached are part of input.", [
    "agent",
    "type",
  ]);
  const calls = counter("provider_requests_total", "Calls of a provider that ended; code is ok or the error's.", [
    "provider",
    "code",
  ]);
  const callErrors = counter("provider_errors_total", "Calls that a provider failed, also where another answered.", [
    "provider",
    "code",
  ]);
  const callSeconds = histogram("provider_request_duration_seconds", "From a provider's call to its end.", [
    "provider",
  ]);
  const requests = counter("http_requests_total", "Requests that ended. 499: the client left before an answer.", [
    "route",
    "method",
    "status",
  ]);
  const authFailures = counter("auth_failures_total", "Requests whose credentials were refused, by why.", ["reason"]);
  gauge("runs_active", "Runs under way, without those that wait.", readings.runsActive);
  gauge("queue_waiting", "Runs that wait for one of all to end.", readings.queueWaiting);
  gauge("lanes_busy", "Sessions with a run under way.", readings.lanesBusy);
  gauge("lanes_waiting", "Runs that wait for their session's turn.", readings.lanesWaiting);
  gauge("streams_open", "Streamed answers under way.", readings.streamsOpen);
  new Gauge({ name: "openclaw_build_info", help: "1, and the version.", labelNames: ["version"], registers }).set(
    { version: VERSION },
    1,
  );
  const agentName = keepFew(MAX_NAMES);
  const providerName = keepFew(MAX_NAMES);

  return {
    run({ agent: id, outcome, ms, firstTokenMs, usage }) {
      const agent = agentName(id);
      runs.inc({ agent, outcome });
      runSeconds.observe({ agent }, ms / 1000);
      if (firstTokenMs !== undefined) firstToken.observe({ agent }, firstTokenMs / 1000);
      const add = (type: string, count: number | undefined) => {
        // What a provider says is anything: a counter only goes up.
        if (count !== undefined && count >= 0 && Number.isFinite(count)) tokens.inc({ agent, type }, count);
      };
      add("input", usage?.prompt_tokens);
      add("output", usage?.completion_tokens);
      add("cached", usage?.prompt_tokens_details?.cached_tokens);
      add("reasoning", usage?.completion_tokens_details?.reasoning_tokens);
    },
    call({ provider: id, code, ms }) {
      const provider = providerName(id);
      calls.inc({ provider, code: code ?? "ok" });
      if (code !== undefined && FAULT.test(code)) callErrors.inc({ provider, code });
      callSeconds.observe({ provider }, ms / 1000);
    },
    request({ route = "none", method, status }) {
      requests.inc({ route, method: METHODS.has(method) ? method : "other", status });
    },
    authFailure(reason) {
      authFailures.inc({ reason });
    },
    async text() {
      return `${await registry.metrics()}\n${await processMetrics.metrics()}`;
    },
  };
}

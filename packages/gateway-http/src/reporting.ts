import type { Authenticator } from "./auth/authenticate.ts";
import { tellFailures } from "./auth/tell-failures.ts";
import { wordsOf } from "./errors/words-of.ts";
import type { RequestWatch } from "./http/request-log.ts";
import type { OnModelCall } from "./models/model-call.ts";
import { onSdkFault } from "./observe/guard-sdk.ts";
import type { Readings } from "./observe/instruments.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics, type Metrics } from "./observe/metrics.ts";
import { createTogetherTeller } from "./observe/tell-together.ts";
import type { RunResult } from "./runs/run.ts";
import type { RunSummary } from "./runs/run-summary.ts";

/** What a gateway tells whoever runs it: lines of the log, and figures. */
export interface Reporting {
  readonly metrics: Metrics;
  /** What was nobody's intention, and is told of no run already. */
  bug(cause: unknown, context: object): void;
  /** Somebody was refused because all runs are taken. */
  full(): void;
  runEnded(summary: RunSummary, result: Pick<RunResult, "usage" | "error">): void;
  onCall: OnModelCall;
  readonly requests: RequestWatch;
  /** The authenticator, telling of those that it does not let in. */
  withFailures(authenticator: Authenticator): Authenticator;
}

export interface ReportingOptions {
  /** Its lines have their secrets taken out. */
  log: Log;
  readings: Readings;
}

/** Milliseconds between two lines about refusals of a full gateway. */
const FULL_LINE_MS = 10_000;

export function createReporting({ log, readings }: ReportingOptions): Reporting {
  const tellFull = (refused: number) => log.warn({ refused }, "all runs are taken: see gateway.limits");
  const metrics = createMetrics(readings);
  /** Told of a run: its request fails with the same. */
  const told = new WeakSet<object>();
  onSdkFault((error) => log.error({ fault: describe(error) }, "OpenTelemetry's SDK threw: told once"));
  const tellBug = (cause: unknown, context: object) => log.error({ ...context, bug: describe(cause) }, "bug");

  return {
    metrics,
    bug(cause, context) {
      if (!isObject(cause) || !told.delete(cause)) tellBug(cause, context);
    },
    full: createTogetherTeller(tellFull, FULL_LINE_MS),
    runEnded(summary, { usage, error }) {
      const { agent, ended: outcome, ms, firstTokenMs } = summary;
      // Without a stream nobody sees a first token.
      metrics.run({ agent, outcome, ms, firstTokenMs: summary.stream ? firstTokenMs : undefined, usage });
      if (error?.code === "internal_error") {
        if (isObject(error.cause)) told.add(error.cause);
        tellBug(error.cause, { runId: summary.runId });
      }
      // The caller is told less of a provider's refusal than whoever has to mend it.
      const reason = error && (error.cause === undefined ? error.message : `${error.message} ${wordsOf(error.cause)}`);
      log.info({ ...summary, ...(reason && { reason }) }, "run");
    },
    onCall: ({ provider, code, ms }) => metrics.call({ provider, code, ms }),
    requests: {
      count: metrics.request,
      logs: () => log.isLevelEnabled("debug"),
      log: (line) => log.debug(line, "request"),
    },
    withFailures: (authenticator) =>
      tellFailures(authenticator, { count: metrics.authFailure, warn: (line) => log.warn(line, "login failed") }),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** With its stack, where it has one. Never throws: what an agent threw may have getters of its own. */
function describe(error: unknown): string {
  try {
    if (error instanceof Error && error.stack) return String(error.stack);
  } catch {}
  return wordsOf(error);
}

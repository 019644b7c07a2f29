import { type CallFigures, Figures, type RequestFigures, type RunFigures } from "./figures.ts";
import type { Readings } from "./instruments.ts";

/** What is counted of a gateway. Nothing of it is told for a token: a run's tokens are counted at its end. */
export interface Metrics {
  run(figures: RunFigures): void;
  call(figures: CallFigures): void;
  request(figures: RequestFigures): void;
  authFailure(reason: string): void;
  /** All figures in Prometheus' text format. @throws when prom-client cannot be loaded */
  text(): Promise<string>;
}

/**
 * What writes the figures is prom-client, 60 ms and 20 MB that nobody should pay who never asks for them: it is loaded
 * when they are asked for.
 */
export function createMetrics(readings: Readings): Metrics {
  const figures = new Figures();
  let write: Promise<() => Promise<string>> | undefined;

  return {
    run: (run) => figures.run(run),
    call: (call) => figures.call(call),
    request: (request) => figures.request(request),
    authFailure: (reason) => figures.authFailure(reason),
    async text() {
      write ??= import("./instruments.ts").then(({ createInstruments }) => createInstruments(figures, readings));
      return (await write)();
    },
  };
}

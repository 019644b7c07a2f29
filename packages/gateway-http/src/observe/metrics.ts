import type { CallFigures, Instruments, Readings, RequestFigures, RunFigures } from "./instruments.ts";

/** Events that wait to be counted, some hundred bytes each: with more of them, what counts is loaded unasked. */
const MAX_WAITING = 5000;

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
 * What counts is prom-client, 60 ms and 20 MB that nobody should pay who never asks for the figures: it is loaded when
 * they are asked for. Until then events wait, so that nothing is lost.
 */
export function createMetrics(readings: Readings): Metrics {
  let waiting: ((to: Instruments) => void)[] = [];
  let instruments: Instruments | undefined;
  let loading: Promise<Instruments> | undefined;
  let isBroken = false;

  async function open(): Promise<Instruments> {
    const { createInstruments } = await import("./instruments.ts");
    const made = createInstruments(readings);
    for (const event of waiting) event(made);
    waiting = [];
    instruments = made;
    return made;
  }

  function load(): Promise<Instruments> {
    if (loading) return loading;
    loading = open();
    loading.catch(() => {
      isBroken = true;
      waiting = [];
    });
    return loading;
  }

  function tell(event: (to: Instruments) => void): void {
    if (instruments) event(instruments);
    // What cannot be loaded is told to whoever asks for the figures.
    else if (!isBroken && waiting.push(event) === MAX_WAITING) void load();
  }

  return {
    run: (figures) => tell((to) => to.run(figures)),
    call: (figures) => tell((to) => to.call(figures)),
    request: (figures) => tell((to) => to.request(figures)),
    authFailure: (reason) => tell((to) => to.authFailure(reason)),
    text: async () => (await load()).text(),
  };
}

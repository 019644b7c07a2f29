import type { BookedRun, Ending } from "./booked-run.ts";

/** Milliseconds that the end of a run is remembered. */
const KEEP_MS = 300_000;
/** Runs of one owner. */
const MAX_RUNS = 1000;
/** Characters of all runs together, with what surrounds their texts. */
const MAX_WEIGHT = 32 * 1024 * 1024;
/** Characters that a run takes besides its texts, about. */
const RUN_WEIGHT = 1000;

type EndedRun = BookedRun & { readonly ending: Ending };

interface Share {
  /** A Map keeps the order of insertion, so the first ended first. */
  readonly runs: Map<string, EndedRun>;
  weight: number;
}

/**
 * Runs that are over, for some minutes, by owner and id. Where there are too many, those go first that ended first, of
 * whoever has most: nobody's many runs make another's be forgotten.
 */
export class EndedRuns {
  readonly #shares = new Map<string, Share>();
  #weight = 0;
  #timer: NodeJS.Timeout | undefined;

  find(owner: string, runId: string): EndedRun | undefined {
    const run = this.#shares.get(owner)?.runs.get(runId);
    return run && isOld(run) ? undefined : run;
  }

  add(run: EndedRun): void {
    const { owner } = run.session;
    this.#forget(owner, run.runId);
    const share = this.#shares.get(owner) ?? { runs: new Map(), weight: 0 };
    this.#shares.set(owner, share);
    share.runs.set(run.runId, run);
    share.weight += weightOf(run);
    this.#weight += weightOf(run);
    if (share.runs.size > MAX_RUNS) this.#forgetFirst(owner, share);
    while (this.#weight > MAX_WEIGHT) this.#forgetFirst(...this.#largest());
    // A gateway that has become idle lets go of them, too.
    this.#timer ??= setTimeout(() => this.#sweep(), KEEP_MS).unref();
  }

  #sweep(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const [owner, { runs }] of this.#shares) {
      for (const run of runs.values()) {
        if (!isOld(run)) {
          next = Math.min(next, run.ending.endedAt);
          break;
        }
        this.#forget(owner, run.runId);
      }
    }
    const left = Math.max(1, next + KEEP_MS - Date.now() + 1);
    this.#timer = this.#shares.size > 0 ? setTimeout(() => this.#sweep(), Math.min(left, KEEP_MS)).unref() : undefined;
  }

  #largest(): [string, Share] {
    return [...this.#shares].reduce((most, other) => (other[1].weight > most[1].weight ? other : most));
  }

  #forgetFirst(owner: string, { runs }: Share): void {
    const [first] = runs.keys();
    if (first !== undefined) this.#forget(owner, first);
  }

  #forget(owner: string, runId: string): void {
    const share = this.#shares.get(owner);
    const run = share?.runs.get(runId);
    if (!share || !run) return;
    share.runs.delete(runId);
    share.weight -= weightOf(run);
    this.#weight -= weightOf(run);
    if (share.runs.size === 0) this.#shares.delete(owner);
  }
}

function isOld({ ending }: EndedRun): boolean {
  return ending.endedAt <= Date.now() - KEEP_MS;
}

function weightOf({ runId, session, ending }: EndedRun): number {
  return RUN_WEIGHT + runId.length + session.key.length + ending.text.length + (ending.error?.message.length ?? 0);
}

import type { Run } from "../runs/run.ts";
import type { RunRequest } from "../runs/run-request.ts";
import type { Runs } from "../runs/runs.ts";
import type { Connection } from "./connection.ts";
import { type Hub, mayHear } from "./hub.ts";
import { Narrator } from "./narrator.ts";
import type { News } from "./news.ts";

/** Frames a millisecond, of all runs together, for those who only could look: beyond, they hear less often. */
const FRAMES_A_MS = 10;
/** Of one piece: `agent` and `chat`. */
const FRAMES = 2;

export interface NarratorsOptions {
  hub: Hub;
  news: News;
  runs: () => Runs;
  onBug(error: unknown, context: { runId: string }): void;
}

/** Tells clients of all runs that somebody could hear of. Without clients it does nothing. */
export class Narrators {
  readonly #options: NarratorsOptions;
  readonly #all = new Map<Run, Narrator>();

  constructor(options: NarratorsOptions) {
    this.#options = options;
  }

  /** Called before a run says anything. */
  onStart(run: Run, request: RunRequest): void {
    let narrator: Narrator | undefined;
    for (const connection of this.#options.hub.audience(request.session)) {
      narrator ??= this.#narrate(run, request);
      narrator.tellings.place(connection);
    }
  }

  /** A client is there, hears of something else, or means a session that it did not mean before. */
  place(connection: Connection): void {
    // What it hears of at once from now on comes behind what waits for its turn.
    this.#options.hub.fanOut.flush(connection);
    for (const [run, request] of this.#options.runs().all) {
      if (run.ended) continue;
      if (!mayHear(connection, request.session) && !this.#all.has(run)) continue;
      // Of a stream that nothing is kept of, what was said before is not known.
      const isLost = request.session.stateless && run.firstEventAt !== undefined;
      const narrator = this.#all.get(run) ?? (isLost ? undefined : this.#narrate(run, request));
      narrator?.tellings.place(connection);
    }
  }

  remove(connection: Connection): void {
    for (const { tellings } of this.#all.values()) tellings.remove(connection);
  }

  /**
   * Tells what a run said so far: its words as they are kept come behind them.
   * @returns what that waits for: never rejects
   */
  catchUp(owner: string, runId: string): Promise<void> | undefined {
    for (const [run, narrator] of this.#all) {
      if (run.id === runId && narrator.session.owner === owner) return narrator.catchUp();
    }
    return undefined;
  }

  /** Settles when all clients have been told of the run's end. */
  async toldOf(run: Run): Promise<void> {
    await this.#all.get(run)?.done;
  }

  /** Settles when they have been told of the ends of all runs that are over or end now. */
  async toldOfAll(): Promise<void> {
    await Promise.all(Array.from(this.#all.values(), ({ done }) => done));
  }

  #narrate(run: Run, request: RunRequest): Narrator {
    const { news, onBug, hub } = this.#options;
    const paceOf = (lookingOn: number) => (lookingOn * this.#all.size * FRAMES) / FRAMES_A_MS;
    const narrator = new Narrator(run, request, { news, fanOut: hub.fanOut, paceOf, onBug });
    this.#all.set(run, narrator);
    void narrator.done.then(() => this.#all.delete(run));
    return narrator;
  }
}

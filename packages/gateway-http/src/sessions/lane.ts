import { GatewayError } from "../errors/gateway-error.ts";

export type LanePolicy = "queue" | "reject" | "interrupt";

interface LaneEntry {
  /** Ends this entry's run when a newer one interrupts it. */
  interrupt(): void;
  signal: AbortSignal;
}

export interface Lanes {
  /**
   * Waits for a session's turn and returns the function that gives it back.
   * @throws GatewayError 409 `session_busy`, 429 `queue_full`; the signal's reason when it aborts while waiting
   */
  enter(id: string, entry: LaneEntry): Promise<() => void>;
  /** Takes a lane that is free; `undefined`, at once, when it is not. */
  enterIfFree(id: string, entry: LaneEntry): (() => void) | undefined;
  /**
   * Waits for a session's turn to do something short that is no run: under every policy behind whatever was there
   * before, without interrupting it, and without a place of those that `maxQueued` counts.
   */
  enterBetween(id: string): Promise<() => void>;
  /** Sessions with a run under way. */
  readonly busy: number;
  /** Runs that wait for their session's turn. */
  readonly waiting: number;
}

interface Waiting {
  /** Absent: it is no run. */
  entry: LaneEntry | undefined;
  admit(): void;
}

interface Lane {
  /** Absent while something is done that is no run. */
  running: LaneEntry | undefined;
  waiting: Waiting[];
}

/**
 * One run at a time in a session, first come first served; distinct sessions do not know of each other.
 * @param rules those of now: asked for each run that comes
 */
export function createLanes(rules: () => { concurrency: LanePolicy; maxQueued: number }): Lanes {
  const lanes = new Map<string, Lane>();

  function leave(id: string): void {
    const lane = lanes.get(id);
    const next = lane?.waiting.shift();
    if (lane && next) {
      lane.running = next.entry;
      next.admit();
    } else {
      lanes.delete(id);
    }
  }

  /** The way out works once, however often it is called. */
  function exit(id: string): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave(id);
    };
  }

  function enterIfFree(id: string, entry: LaneEntry | undefined): (() => void) | undefined {
    if (lanes.has(id)) return undefined;
    lanes.set(id, { running: entry, waiting: [] });
    return exit(id);
  }

  return {
    enterIfFree,
    async enterBetween(id) {
      const lane = lanes.get(id);
      if (!lane) return enterIfFree(id, undefined) as () => void;
      return new Promise((resolve) => {
        lane.waiting.push({ entry: undefined, admit: () => resolve(exit(id)) });
      });
    },
    get busy() {
      let count = 0;
      for (const { running } of lanes.values()) if (running) count++;
      return count;
    },
    get waiting() {
      let count = 0;
      for (const lane of lanes.values()) count += runsWaitingIn(lane);
      return count;
    },
    async enter(id, entry) {
      entry.signal.throwIfAborted();
      const lane = lanes.get(id);
      if (!lane) return enterIfFree(id, entry) as () => void;
      const { concurrency: policy, maxQueued } = rules();
      const queued = runsWaitingIn(lane);
      const hasRuns = lane.running !== undefined || queued > 0;
      if (policy === "reject" && hasRuns) throw new GatewayError("session_busy", "A run is active in this session.");
      if (policy === "queue" && hasRuns && queued >= maxQueued) {
        throw new GatewayError("queue_full", `${maxQueued} runs already wait in this session.`, { retryAfter: 1 });
      }
      return new Promise((resolve, reject) => {
        const give = () => {
          lane.waiting.splice(lane.waiting.indexOf(waiting), 1);
          reject(entry.signal.reason);
        };
        const waiting: Waiting = {
          entry,
          admit() {
            entry.signal.removeEventListener("abort", give);
            resolve(exit(id));
          },
        };
        entry.signal.addEventListener("abort", give, { once: true });
        lane.waiting.push(waiting);
        // The newest word wins: whatever runs or waits before it ends now.
        if (policy === "interrupt") {
          for (const { entry: older } of lane.waiting.slice(0, -1)) older?.interrupt();
          lane.running?.interrupt();
        }
      });
    },
  };
}

function runsWaitingIn({ waiting }: Lane): number {
  let count = 0;
  for (const { entry } of waiting) if (entry) count++;
  return count;
}

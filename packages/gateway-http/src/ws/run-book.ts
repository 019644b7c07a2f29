import type { GatewayError } from "../errors/gateway-error.ts";
import type { Run } from "../runs/run.ts";
import { toUsage } from "./run-words.ts";
import type { NamedSession } from "./session-ref.ts";

/** Milliseconds that the end of a run is remembered. */
const KEEP_MS = 300_000;
/** Runs that are over and remembered. */
const MAX_ENDED = 1000;
/** Characters of their texts, together. */
const MAX_TEXT = 32 * 1024 * 1024;

/** How a run ended. */
interface Ending {
  readonly status: "ok" | "aborted" | "timeout" | "error";
  /** Unix time in milliseconds. */
  readonly endedAt: number;
  readonly text: string;
  readonly error: GatewayError | undefined;
  readonly stopReason: string | undefined;
  readonly usage: ReturnType<typeof toUsage>;
  /** `provider/model`. */
  readonly model: string | undefined;
}

/** A run that the socket started. */
export interface BookedRun {
  readonly run: Run;
  readonly session: NamedSession;
  readonly method: "chat.send" | "agent";
  /** What was asked, to tell whether the same is asked again. */
  readonly fingerprint: string;
  /** Unix time in milliseconds. */
  readonly acceptedAt: number;
  /** When its turn came; `undefined` while it waits. */
  startedAt: number | undefined;
  /** Once it is over. */
  ending: Ending | undefined;
}

/** The runs that the socket started, by the ids that clients chose: those under way, and for a while those that ended. */
export class RunBook {
  // A Map keeps the order of insertion: one that ends moves behind the others.
  readonly #running = new Map<string, BookedRun>();
  readonly #ended = new Map<string, BookedRun>();
  #text = 0;

  find(owner: string, runId: string): BookedRun | undefined {
    this.#prune();
    const id = idOf(owner, runId);
    return this.#running.get(id) ?? this.#ended.get(id);
  }

  add({ run, ...about }: Omit<BookedRun, "startedAt" | "ending">): BookedRun {
    const booked: BookedRun = { run, ...about, startedAt: undefined, ending: undefined };
    const id = idOf(about.session.owner, run.id);
    this.#running.set(id, booked);
    run.observe((events) => {
      if (events[0]?.type === "run-start") booked.startedAt = Date.now();
    });
    void run.result.then(({ answer, usage, finishReason, error }) => {
      const text = answer.text || answer.refusal;
      booked.ending = {
        status: statusOf(error),
        endedAt: Date.now(),
        text,
        error,
        stopReason: finishReason,
        usage: toUsage(usage),
        model: answer.model?.model,
      };
      this.#running.delete(id);
      this.#ended.set(id, booked);
      this.#text += text.length;
      this.#prune();
    });
    return booked;
  }

  #prune(): void {
    for (const [id, { ending }] of this.#ended) {
      if (!ending) continue;
      const isOld = ending.endedAt < Date.now() - KEEP_MS;
      if (!isOld && this.#ended.size <= MAX_ENDED && this.#text <= MAX_TEXT) return;
      this.#ended.delete(id);
      this.#text -= ending.text.length;
    }
  }
}

function statusOf(error: GatewayError | undefined): Ending["status"] {
  if (!error) return "ok";
  if (error.code === "run_aborted") return "aborted";
  return error.code === "run_timeout" ? "timeout" : "error";
}

function idOf(owner: string, runId: string): string {
  // Either may have blanks in it.
  return JSON.stringify([owner, runId]);
}

import { Backlog, type Job, type Waiting } from "./backlog.ts";
import type { Connection } from "./connection.ts";

/** Frames that are sent in one turn of the event loop: about half a millisecond. */
const SLICE = 64;

type OnBug = (error: unknown, context: { event: string }) => void;

/**
 * Tells connections of events, each in the order of what happened, and never throws. Those who only look on: few are
 * told at once; many in turn, so that those who wait for a word are not held up by those who could hear it, too. Whose
 * turn it is hears all that waits for it in one write: writes are most of what this costs.
 */
export class FanOut {
  readonly #onBug: OnBug;
  readonly #backlogs = new Map<Connection, Backlog>();
  #isDue = false;

  /** @param onBug told, once for each event, what hindered the telling */
  constructor(onBug: OnBug) {
    this.#onBug = onBug;
  }

  /** Whether anything waits. */
  get isBusy(): boolean {
    return this.#backlogs.size > 0;
  }

  /** Tells now, or when it is their turn. */
  add(job: Job): void {
    const { members, frames = 1 } = job;
    if (members.length === 0 || (!this.isBusy && members.length * frames <= SLICE)) this.tellNow(job);
    else this.#wait({ job, left: members.length, hasFailed: false });
  }

  /** Tells all of them now. */
  tellNow(job: Job): void {
    const waiting: Waiting = { job, left: 1, hasFailed: false };
    const { members, frames = 1 } = job;
    for (const member of members) {
      for (let frame = 0; frame < frames; frame++) this.#tell(member, waiting, frame);
    }
    this.#settle([waiting]);
  }

  /** Tells one now all that waits for it: before it hears of something in another way. */
  flush(member: Connection): void {
    const backlog = this.#backlogs.get(member);
    if (!backlog) return;
    this.#backlogs.delete(member);
    const ended: Waiting[] = [];
    backlog.take(Number.POSITIVE_INFINITY, this.#tell, ended);
    this.#settle(ended);
  }

  #wait(waiting: Waiting): void {
    const missed: Waiting[] = [];
    for (const member of waiting.job.members) {
      let backlog = this.#backlogs.get(member);
      if (!backlog) {
        backlog = new Backlog(member);
        this.#backlogs.set(member, backlog);
      }
      missed.push(...backlog.put(waiting));
    }
    this.#goOn();
    this.#settle(missed);
  }

  #goOn(): void {
    if (this.#isDue || !this.isBusy) return;
    this.#isDue = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isDue = false;
    const ended: Waiting[] = [];
    let room = SLICE;
    for (const [member, backlog] of this.#backlogs) {
      if (room <= 0) break;
      room = backlog.take(room, this.#tell, ended);
      // Whoever has more to hear than fits is behind all others then.
      this.#backlogs.delete(member);
      if (!backlog.isEmpty) this.#backlogs.set(member, backlog);
    }
    this.#goOn();
    this.#settle(ended);
  };

  readonly #tell = (member: Connection, waiting: Waiting, frame: number): void => {
    const { event, encode, droppable, isFor, onMissed } = waiting.job;
    if (member.gone.aborted || isFor?.(member) === false) return;
    let payload: string | undefined;
    try {
      payload = encode(member, frame);
      if (!member.tell(event, payload, droppable)) onMissed?.(member);
    } catch (error) {
      // The others are told all the same: nobody else catches it, and a run goes on with whom it can tell.
      if (payload === undefined) member.miss();
      if (!waiting.hasFailed) this.#onBug(error, { event });
      waiting.hasFailed = true;
    }
  };

  /** Of each, one that was to hear it has, or will not. */
  #settle(ended: readonly Waiting[]): void {
    for (const waiting of ended) if (--waiting.left === 0) waiting.job.onDone?.();
  }
}

import type { SocketEventName } from "@openclaw/protocol/socket";
import type { Connection } from "./connection.ts";

/** Frames that are sent in one turn of the event loop: about a millisecond. */
const SLICE = 64;

/** Events that may wait for their turn. Beyond, those who look on miss them, and see that they do. */
const MAX_JOBS = 4096;

/** An event for many. */
interface Job {
  readonly event: SocketEventName;
  readonly members: readonly Connection[];
  /** JSON text of the payload. */
  encode(connection: Connection): string;
  readonly droppable?: boolean;
  /** Whether it is still meant for this one when its turn comes. Absent: yes. */
  isFor?(connection: Connection): boolean;
  onDone?(): void;
}

/**
 * Tells those who only look on, in the order of what happened. Few are told at once; many in turn, so that those who
 * wait for a word are not held up by those who could hear it, too.
 */
export class FanOut {
  #jobs: Job[] = [];
  /** Of the first job, those who were told. */
  #told = 0;

  add(job: Job): void {
    if (this.#jobs.length >= MAX_JOBS) {
      for (const member of job.members) if (job.isFor?.(member) !== false) member.miss();
      job.onDone?.();
      return;
    }
    this.#jobs.push(job);
    if (this.#jobs.length > 1) return;
    if (job.members.length <= SLICE) this.#tell(SLICE);
    else setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#tell(SLICE);
    if (this.#jobs.length > 0) setImmediate(this.#next);
  };

  #tell(frames: number): void {
    let left = frames;
    for (let job = this.#jobs[0]; job && left > 0; job = this.#jobs[0]) {
      const { event, members, encode, droppable, isFor, onDone } = job;
      for (; this.#told < members.length && left > 0; this.#told++, left--) {
        const member = members[this.#told] as Connection;
        if (!member.gone.aborted && isFor?.(member) !== false) member.tell(event, encode(member), droppable);
      }
      if (this.#told < members.length) return;
      this.#jobs.shift();
      this.#told = 0;
      onDone?.();
    }
  }
}

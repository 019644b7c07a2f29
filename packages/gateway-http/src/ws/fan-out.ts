import type { SocketEventName } from "@openclaw/protocol/socket";
import type { Connection } from "./connection.ts";

/** Frames that are sent in one turn of the event loop: about half a millisecond. */
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

/** An event that waits for some of its members' turns. */
interface Waiting {
  readonly job: Job;
  /** Of its members. */
  left: number;
}

/**
 * Tells those who only look on, each in the order of what happened. Few are told at once; many in turn, so that those
 * who wait for a word are not held up by those who could hear it, too. Whose turn it is hears all that waits for it in
 * one write: writes are most of what this costs.
 */
export class FanOut {
  readonly #queues = new Map<Connection, Waiting[]>();
  /** Events that wait. */
  #jobs = 0;
  #isDue = false;

  add(job: Job): void {
    const { members } = job;
    if (this.#jobs >= MAX_JOBS) {
      for (const member of members) if (job.isFor?.(member) !== false) member.miss();
      job.onDone?.();
    } else if (this.#jobs === 0 && members.length <= SLICE) {
      for (const member of members) tell(member, job);
      job.onDone?.();
    } else this.#wait(job);
  }

  #wait(job: Job): void {
    const waiting: Waiting = { job, left: job.members.length };
    // Nobody's turn will come.
    if (waiting.left === 0) {
      job.onDone?.();
      return;
    }
    this.#jobs++;
    for (const member of job.members) {
      const queue = this.#queues.get(member);
      if (queue) queue.push(waiting);
      else this.#queues.set(member, [waiting]);
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#isDue || this.#jobs === 0) return;
    this.#isDue = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isDue = false;
    let room = SLICE;
    for (const [member, queue] of this.#queues) {
      if (room <= 0) break;
      const now = queue.splice(0, room);
      room -= now.length;
      // Whoever has more to hear than fits is behind all others then.
      this.#queues.delete(member);
      if (queue.length > 0) this.#queues.set(member, queue);
      member.together(() => {
        for (const { job } of now) tell(member, job);
      });
      for (const waiting of now) this.#toldOne(waiting);
    }
    this.#goOn();
  };

  #toldOne(waiting: Waiting): void {
    if (--waiting.left > 0) return;
    this.#jobs--;
    waiting.job.onDone?.();
  }
}

function tell(member: Connection, { event, encode, droppable, isFor }: Job): void {
  if (!member.gone.aborted && isFor?.(member) !== false) member.tell(event, encode(member), droppable);
}

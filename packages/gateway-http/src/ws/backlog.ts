import type { SocketEventName } from "@openclaw/protocol/socket";
import type { Connection } from "./connection.ts";

/** Events that may wait for one connection. Beyond, it misses some, and sees that it does. */
const MAX_JOBS = 4096;

/** An event for many, or several of its kind, one behind the other. */
export interface Job {
  readonly event: SocketEventName;
  readonly members: readonly Connection[];
  /** How many there are; by default 1. */
  readonly frames?: number;
  /** JSON text of the payload. */
  encode(connection: Connection, frame: number): string;
  /** Those who are behind can do without it. */
  readonly droppable?: boolean;
  /** Whether it is still meant for this one when its turn comes. Absent: yes. */
  isFor?(connection: Connection): boolean;
  /** One who was to hear it did not. */
  onMissed?(connection: Connection): void;
  /** Nobody is to hear it any more. Called once. */
  onDone?(): void;
}

/** An event that waits for some of its members' turns. */
export interface Waiting {
  readonly job: Job;
  /** Of its members. */
  left: number;
  hasFailed: boolean;
}

/** What waits for one connection, in order. */
export class Backlog {
  readonly #member: Connection;
  #jobs: Waiting[] = [];
  /** Frames of the first that were told. */
  #told = 0;
  /** How many of them are droppable. */
  #droppable = 0;

  constructor(member: Connection) {
    this.#member = member;
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0;
  }

  /** @returns what is not told for want of room: what is droppable first, the new one when nothing else can go */
  put(waiting: Waiting): Waiting[] {
    const { droppable } = waiting.job;
    if (this.#jobs.length >= MAX_JOBS && (droppable || this.#droppable === 0)) return this.#miss([waiting]);
    const going = this.#jobs.length >= MAX_JOBS ? this.#jobs.filter(isDroppable) : [];
    if (going.length > 0) {
      this.#jobs = this.#jobs.filter((other) => !isDroppable(other));
      this.#droppable = 0;
    }
    this.#jobs.push(waiting);
    if (droppable) this.#droppable++;
    return this.#miss(going);
  }

  /**
   * Takes out so many frames, in one write.
   * @param ended gets those that were told to their last frame
   * @returns the room that is left
   */
  take(room: number, tell: (member: Connection, waiting: Waiting, frame: number) => void, ended: Waiting[]): number {
    let left = room;
    this.#member.together(() => {
      for (let first = this.#jobs[0]; first && left > 0; first = this.#jobs[0]) {
        const { frames = 1 } = first.job;
        for (; this.#told < frames && left > 0; left--) tell(this.#member, first, this.#told++);
        if (this.#told < frames) return;
        this.#jobs.shift();
        this.#told = 0;
        if (isDroppable(first)) this.#droppable--;
        ended.push(first);
      }
    });
    return left;
  }

  #miss(all: Waiting[]): Waiting[] {
    for (const { job } of all) {
      if (job.isFor?.(this.#member) === false) continue;
      for (let frame = 0; frame < (job.frames ?? 1); frame++) this.#member.miss();
      job.onMissed?.(this.#member);
    }
    return all;
  }
}

function isDroppable({ job }: Waiting): boolean {
  return job.droppable === true;
}

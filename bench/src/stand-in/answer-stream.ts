import type { ServerResponse } from "node:http";
import type { Ask } from "../ask.ts";
import { microsNow } from "../clock.ts";
import { BATCH, type Frames } from "./frames.ts";
import { Wheel } from "./wheel.ts";

const wheel = new Wheel();
const held = new Set<AnswerStream>();

/** Body bytes handed to sockets so far. It stops growing when back-pressure has reached the provider. */
export const stats = { bytes: 0 };

/** Lets the held streams go on, each a little later than the one before: together they would come as one burst. */
export function releaseHeld(): void {
  const streams = [...held];
  held.clear();
  for (const [position, stream] of streams.entries()) stream.release(position / streams.length);
}

export function countHeld(): number {
  return held.size;
}

/** One streamed answer: flat out it fills the socket, paced it writes each token by itself when its time has come. */
export class AnswerStream {
  readonly #response: ServerResponse;
  readonly #ask: Ask;
  readonly #frames: Frames;
  #sent = 0;
  #due: number;
  #isReleased = false;

  constructor(response: ServerResponse, ask: Ask, frames: Frames) {
    this.#response = response;
    this.#ask = ask;
    this.#frames = frames;
    this.#due = performance.now() + ask.delay;
    response.on("close", () => held.delete(this));
    if (ask.delay > 0) wheel.at(this.#due, () => this.#start());
    else this.#start();
  }

  release(phase: number): void {
    this.#isReleased = true;
    if (this.#ask.pace === 0) this.#fill();
    else {
      this.#due = performance.now() + (phase * 1000) / this.#ask.pace;
      wheel.at(this.#due, this.#step);
    }
  }

  #start(): void {
    // The role chunk and the first token leave in one write: node:http joins what is written in one turn. (With `cork()`
    // it loses what came before an `end()` in the same turn.)
    this.#write(this.#frames.role);
    if (this.#ask.pace === 0) this.#fill();
    else this.#step();
  }

  readonly #fill = (): void => {
    const { tokens, hold } = this.#ask;
    const stop = this.#isReleased || hold === 0 ? tokens : Math.min(hold, tokens);
    let hasRoom = true;
    while (hasRoom && this.#sent < stop && !this.#response.destroyed) {
      const count = Math.min(BATCH, stop - this.#sent);
      this.#sent += count;
      hasRoom = this.#write(this.#frames.tokens(count, microsNow()));
    }
    if (!hasRoom) this.#response.once("drain", this.#fill);
    else if (!this.#response.destroyed) this.#rest();
  };

  readonly #step = (): void => {
    if (this.#response.destroyed) return;
    if (this.#sent === this.#ask.tokens || this.#isHeld()) {
      this.#rest();
      return;
    }
    this.#sent++;
    const hasRoom = this.#write(this.#frames.tokens(1, microsNow()));
    // Late tokens are not sent together: that would make them cheaper than the pace asked for. The rate falls instead.
    this.#due = Math.max(this.#due + 1000 / this.#ask.pace, performance.now());
    if (hasRoom) wheel.at(this.#due, this.#step);
    else this.#response.once("drain", this.#step);
  };

  #isHeld(): boolean {
    return !this.#isReleased && this.#sent === this.#ask.hold && this.#ask.hold > 0;
  }

  #rest(): void {
    if (this.#isHeld()) held.add(this);
    else this.#response.end(this.#frames.end(this.#sent));
  }

  #write(bytes: Buffer): boolean {
    stats.bytes += bytes.length;
    return this.#response.write(bytes);
  }
}

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Ask } from "../ask.ts";
import { microsNow } from "../clock.ts";
import { BATCH, type Frames } from "./frames.ts";
import { Wheel } from "./wheel.ts";

const wheel = new Wheel();
const held = new Set<AnswerStream>();
const unfinished = new Set<AnswerStream>();

/** Body bytes handed to sockets so far. It stops growing when back-pressure has reached the provider. */
let bytes = 0;

/** Lets the held streams go on, each a little later than the one before: together they would come as one burst. */
export function releaseHeld(): void {
  const streams = [...held];
  held.clear();
  for (const [position, stream] of streams.entries()) stream.release(position / streams.length);
}

export function readStats() {
  return { bytes, held: held.size, unfinished: unfinished.size };
}

/**
 * One streamed answer: flat out it fills the socket, paced it writes each token by itself when its time has come.
 * Headers and end are node:http's; tokens go to the socket in their chunked coding, one system call for each write,
 * because `response.write` costs as much again and joins the writes of one turn.
 */
export class AnswerStream {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #ask: Ask;
  readonly #frames: Frames;
  #sent = 0;
  #due: number;
  #isReleased = false;

  constructor(response: ServerResponse, socket: Socket, ask: Ask, frames: Frames) {
    this.#response = response;
    this.#socket = socket;
    this.#ask = ask;
    this.#frames = frames;
    this.#due = performance.now() + ask.delay;
    unfinished.add(this);
    response.once("close", () => {
      held.delete(this);
      unfinished.delete(this);
    });
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
    // Headers, role chunk and first token leave in one write, as they do when a model's first token sends the headers.
    this.#socket.cork();
    this.#response.flushHeaders();
    this.#write(this.#frames.role);
    if (this.#ask.pace === 0) this.#fill();
    else this.#step();
    this.#socket.uncork();
  }

  readonly #fill = (): void => {
    const { tokens, hold } = this.#ask;
    const stop = this.#isReleased || hold === 0 ? tokens : Math.min(hold, tokens);
    const count = Math.min(BATCH, stop - this.#sent);
    if (this.#socket.destroyed) return;
    if (count <= 0) {
      this.#rest();
      return;
    }
    this.#sent += count;
    // The streams take turns: batches of one stream in a row would arrive as one.
    if (this.#write(this.#frames.tokens(count, microsNow()))) setImmediate(this.#fill);
    else this.#socket.once("drain", this.#fill);
  };

  readonly #step = (): void => {
    if (this.#socket.destroyed) return;
    if (this.#sent === this.#ask.tokens || this.#isHeld()) {
      this.#rest();
      return;
    }
    this.#sent++;
    const hasRoom = this.#write(this.#frames.tokens(1, microsNow()));
    // Late tokens are not sent together: that would make them cheaper than the pace asked for. The rate falls instead.
    this.#due = Math.max(this.#due + 1000 / this.#ask.pace, performance.now());
    if (hasRoom) wheel.at(this.#due, this.#step);
    else this.#socket.once("drain", this.#step);
  };

  #isHeld(): boolean {
    return !this.#isReleased && this.#sent === this.#ask.hold && this.#ask.hold > 0;
  }

  #rest(): void {
    if (this.#isHeld()) {
      held.add(this);
      return;
    }
    unfinished.delete(this);
    this.#response.end(this.#frames.end(this.#sent));
  }

  #write(frames: Buffer): boolean {
    bytes += frames.length;
    return this.#socket.write(frames);
  }
}

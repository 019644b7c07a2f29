import type { Transcript } from "../transcript.ts";

/** A session as it is, or is about to be; `undefined` when there is none. */
type Known = Promise<Transcript | undefined>;

/** What a session counts for besides its messages, in characters. */
const BASE_SIZE = 512;

/** Transcripts used lately, up to a sum of their sizes. */
export class TranscriptCache {
  readonly #maxSize: number;
  // A Map keeps the order of insertion: what is used moves to the end, so the first is the oldest.
  readonly #cached = new Map<string, { known: Known; size: number }>();
  #size = 0;

  /** @param maxSize characters */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get(id: string): Known | undefined {
    return this.#cached.get(id)?.known;
  }

  /** What is known now of a session, and by how many characters that is more. One that cannot be read is forgotten. */
  set(id: string, known: Known, moreCharacters = 0): void {
    const size = (this.#cached.get(id)?.size ?? BASE_SIZE) + moreCharacters;
    this.delete(id);
    this.#cached.set(id, { known, size });
    this.#size += size;
    for (const oldest of this.#cached.keys()) {
      if (this.#size <= this.#maxSize) break;
      this.delete(oldest);
    }
    known.catch(() => {
      if (this.get(id) === known) this.delete(id);
    });
  }

  delete(id: string): void {
    this.#size -= this.#cached.get(id)?.size ?? 0;
    this.#cached.delete(id);
  }
}

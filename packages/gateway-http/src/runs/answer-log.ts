import type { AnswerRecord } from "../completions/store.ts";
import { GatewayError } from "../errors/gateway-error.ts";

/** Characters of one answer that are kept while it is written; of a longer one the beginning is let go. */
export const MAX_KEPT = 16 * 1024 * 1024;
/** Frames of a streamed answer that failed before it said anything: role, error, `[DONE]`. */
const FRAMES_OF_NOTHING = 3;

/** Somebody who reads an answer. */
export interface Watcher {
  /** The number of the frame it reads next. */
  position: number;
  /** Called, synchronously, when there is more, or the end. */
  onMore(): void;
  /** Called when it is to go and come back later. */
  onDismiss(error: GatewayError): void;
}

/**
 * An answer under an idempotency key, as it is written: numbered frames, for whoever watches now or comes back. A JSON
 * answer is one frame, its body.
 */
export class AnswerLog {
  readonly runId: string;
  readonly sessionKey: string;
  readonly fingerprint: string;
  readonly stream: boolean;
  /** Called when the last watcher has left (`false`), and when one comes again (`true`). */
  onWatched: ((isWatched: boolean) => void) | undefined;
  readonly #watchers = new Set<Watcher>();
  #frames: string[] = [];
  #dropped = 0;
  #kept = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #error: GatewayError | undefined;

  constructor(about: Pick<AnswerRecord, "runId" | "sessionKey" | "fingerprint" | "stream">) {
    this.runId = about.runId;
    this.sessionKey = about.sessionKey;
    this.fingerprint = about.fingerprint;
    this.stream = about.stream;
  }

  /** How many frames there have been. */
  get length(): number {
    return this.#dropped + this.#frames.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Set when the run ended with one. The frames of a stream say so too. */
  get error(): GatewayError | undefined {
    return this.#error;
  }

  /** Whether the error is all there is: then it can be said as a plain HTTP error. */
  get saidNothing(): boolean {
    return this.#error !== undefined && this.length <= FRAMES_OF_NOTHING;
  }

  /** Whether nothing of it was let go. */
  get isWhole(): boolean {
    return this.#dropped === 0;
  }

  has(index: number): boolean {
    return index >= this.#dropped && index <= this.length;
  }

  /** The frames from this number on, joined, until they are this many characters; and the number of the next one. */
  from(index: number, maxLength = Number.POSITIVE_INFINITY): { frames: string; next: number } {
    let frames = "";
    let next = index;
    while (next < this.length && frames.length < maxLength) frames += this.#frames[next++ - this.#dropped];
    return { frames, next };
  }

  /** A promise is returned when the answer is too long to be kept and a watcher is behind: the run is to wait for it. */
  add(frames: readonly string[]): Promise<void> | undefined {
    this.#push(frames);
    for (const watcher of this.#watchers) watcher.onMore();
    if (this.#kept <= MAX_KEPT) return undefined;
    this.trim();
    if (this.#kept > MAX_KEPT) this.#room ??= Promise.withResolvers();
    return this.#room?.promise;
  }

  end(frames: readonly string[], error?: GatewayError): void {
    if (this.#ended) return;
    this.#push(frames);
    this.#ended = true;
    this.#error = error;
    for (const watcher of this.#watchers) watcher.onMore();
  }

  /** Returns the function that stops watching. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.onWatched?.(true);
    return () => {
      if (!this.#watchers.delete(watcher)) return;
      this.trim();
      if (this.#watchers.size === 0) this.onWatched?.(false);
    };
  }

  dismiss(error: GatewayError): void {
    for (const watcher of [...this.#watchers]) watcher.onDismiss(error);
  }

  /** Of an answer that is too long: lets go of what every watcher has had. Called when one has read on. */
  trim(): void {
    // The one frame of a JSON answer nobody reads in part.
    if (!this.stream || this.#kept <= MAX_KEPT) return;
    const had = Math.min(this.length, ...Array.from(this.#watchers, ({ position }) => position));
    for (const frame of this.#frames.splice(0, had - this.#dropped)) this.#kept -= frame.length;
    this.#dropped = had;
    if (this.#kept > MAX_KEPT) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #push(frames: readonly string[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#kept += frame.length;
    }
  }
}

/** An answer of some time ago, whole. */
export function fromRecord(record: AnswerRecord): AnswerLog {
  const log = new AnswerLog(record);
  const { body, error } = record;
  const frames = record.stream ? body.split(/(?<=\n\n)/) : [body];
  const param = error?.param ?? undefined;
  log.end(
    body === "" ? [] : frames,
    error && new GatewayError(error.code, error.message, { ...error, param, retry: false }),
  );
  return log;
}

/** The events in this text, each with its id: `<completion id>:<n>`. */
export function withIds(runId: string, events: string, from: number): string[] {
  // An event's JSON has no line break in it: an empty line is its end.
  return events
    .split("\n\n")
    .slice(0, -1)
    .map((event, index) => `id: ${runId}:${from + index}\n${event}\n\n`);
}

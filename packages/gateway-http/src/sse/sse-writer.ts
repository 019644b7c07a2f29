import type { ServerResponse } from "node:http";
import { SSE_KEEP_ALIVE_FRAME } from "@openclaw/protocol";

/** Written at once when this much has gathered within one tick, in UTF-16 code units. */
const FLUSH_LENGTH = 16 * 1024;

export interface SseWriterOptions {
  /** Milliseconds of silence after which a comment goes out. */
  keepAliveMs: number;
  /** Milliseconds that a client may leave the socket full before it is cut. */
  slowClientMs: number;
  /** Where the stream is counted while it is open. */
  streams?: OpenStreams | undefined;
}

/** The streamed answers under way. */
export interface OpenStreams {
  open: number;
}

/** The one owner of a streamed answer's socket: its pauses, its silence and its end. */
export interface SseWriter {
  /** Writes whole frames. A returned promise settles when the socket has room again, or is gone. */
  write(frames: string): Promise<void> | undefined;
  /** Writes what is left and ends the response. The stream's own last frame is the caller's to write before. */
  end(): void;
}

/** Takes over a response whose head is set. Frames of one tick leave in one write. */
export function createSseWriter(
  raw: ServerResponse,
  { keepAliveMs, slowClientMs, streams }: SseWriterOptions,
): SseWriter {
  let gathered = "";
  let flushQueued = false;
  let wroteAt = performance.now();
  let room: PromiseWithResolvers<void> | undefined;
  let slow: NodeJS.Timeout | undefined;

  function flush(): void {
    flushQueued = false;
    if (gathered === "" || raw.destroyed) return;
    const frames = gathered;
    gathered = "";
    wroteAt = performance.now();
    if (!raw.write(frames) && !room) {
      room = Promise.withResolvers();
      // A cut socket closes the response, and that aborts the run. It is never ended: that would look like success.
      slow = setTimeout(() => raw.destroy(), slowClientMs).unref();
    }
  }

  function makeRoom(): void {
    clearTimeout(slow);
    room?.resolve();
    room = undefined;
  }

  function write(frames: string): Promise<void> | undefined {
    if (raw.destroyed) return undefined;
    gathered += frames;
    if (gathered.length >= FLUSH_LENGTH) {
      flush();
    } else if (!flushQueued) {
      flushQueued = true;
      process.nextTick(flush);
    }
    return room?.promise;
  }

  // Looking at the clock now and then costs less than setting a timer anew with every token.
  let heartbeat = setTimeout(beat, keepAliveMs).unref();
  function beat(): void {
    const silence = performance.now() - wroteAt;
    const due = silence >= keepAliveMs;
    if (due && !room) void write(SSE_KEEP_ALIVE_FRAME);
    heartbeat = setTimeout(beat, due ? keepAliveMs : keepAliveMs - silence).unref();
  }

  // One that is gone already does not close again.
  const counts = streams !== undefined && !raw.destroyed;
  if (counts) streams.open++;
  raw.on("drain", makeRoom);
  raw.once("close", () => {
    if (counts) streams.open--;
    clearTimeout(heartbeat);
    makeRoom();
  });

  return {
    write,
    end() {
      clearTimeout(heartbeat);
      flush();
      raw.end();
      clearTimeout(slow);
      cutWhenSlow(raw, slowClientMs);
    },
  };
}

/** Cuts the client of a response that was ended when it stops reading what is left of it for `slowClientMs`. */
export function cutWhenSlow(raw: ServerResponse, slowClientMs: number): void {
  // Node's own timeout: it starts again with every bit that is read, which `drain` no longer tells.
  if (raw.writableLength > 0) raw.setTimeout(slowClientMs, () => raw.destroy());
}

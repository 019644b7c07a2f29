import { SSE_DONE_FRAME } from "@openclaw/protocol";
import type { FastifyReply } from "fastify";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { AnswerLog, Watcher } from "../runs/answer-log.ts";
import { createSseWriter, cutWhenSlow, type SseWriter, type SseWriterOptions } from "../sse/sse-writer.ts";
import { streamHeaders } from "./answer-stream.ts";

/** Characters written at once: a client that has much to read is given it as fast as it reads. */
const MAX_WRITE = 64 * 1024;
/** Milliseconds after which a watcher that was sent away is to come back, in the stream's own `retry:`. */
const COME_BACK_MS = 1000;

/** For a caller that went while its answer was looked for: as if it had watched, and left. */
export function answerNobody(reply: FastifyReply, log: AnswerLog): void {
  log.watch({ position: log.length, onMore: () => {}, onDismiss: () => {} })();
  reply.hijack();
}

/** Answers with a whole completion from its log, once it is there. Leaving does not end its run. */
export function answerJsonFromLog(
  reply: FastifyReply,
  log: AnswerLog,
  { slowClientMs }: Pick<SseWriterOptions, "slowClientMs">,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher: Watcher = { position: 0, onMore, onDismiss: () => {} };
    const leave = log.watch(watcher);
    reply.raw.once("close", leave);
    onMore();

    function onMore(): void {
      if (!log.ended) return;
      leave();
      if (log.error) {
        reject(log.error);
        return;
      }
      reply.header("cache-control", "no-store").type("application/json; charset=utf-8").send(log.from(0).frames);
      cutWhenSlow(reply.raw, slowClientMs);
      resolve();
    }
  });
}

export interface KeyedStreamOptions extends SseWriterOptions {
  /** Milliseconds the head waits for something to be said. */
  commitAfterMs: number;
  /** The number of the first frame that this watcher has not had. */
  from: number;
}

/**
 * Answers with a stream from its log: what there is, then what comes. Leaving does not end its run, and a client that
 * reads slowly holds nobody up but itself.
 */
export function answerStreamFromLog(reply: FastifyReply, log: AnswerLog, options: KeyedStreamOptions): Promise<void> {
  const { raw } = reply;
  return new Promise((resolve, reject) => {
    let writer: SseWriter | undefined;
    let isFull = false;
    let commitTimer: NodeJS.Timeout | undefined;
    const watcher: Watcher = { position: options.from, onMore, onDismiss };
    const unwatch = log.watch(watcher);
    raw.once("close", leave);
    onMore();

    function leave(): void {
      clearTimeout(commitTimer);
      unwatch();
    }

    function onMore(): void {
      // A failure before a word is a plain HTTP error, which clients know how to try again.
      if (!writer && log.saidNothing && options.from === 0) {
        leave();
        reject(log.error);
      } else if (writer || log.length > 1 || log.ended || options.from > 0) {
        // The first frame says only who speaks; and whoever comes back has heard something already.
        pump(commit());
      } else if (log.length === 1) {
        // From here on it runs: what it waited for before (its session's turn) may still be refused.
        commitTimer ??= setTimeout(() => pump(commit()), options.commitAfterMs);
      }
    }

    function commit(): SseWriter {
      clearTimeout(commitTimer);
      if (writer) return writer;
      reply.hijack();
      resolve();
      raw.writeHead(200, streamHeaders(reply));
      raw.flushHeaders();
      writer = createSseWriter(raw, options);
      return writer;
    }

    function pump(open: SseWriter): void {
      if (isFull) return;
      let full: Promise<void> | undefined;
      while (!full && watcher.position < log.length) {
        const { frames, next } = log.from(watcher.position, MAX_WRITE);
        watcher.position = next;
        full = open.write(frames);
      }
      log.trim();
      if (full) {
        isFull = true;
        void full.then(() => {
          isFull = false;
          if (!raw.destroyed) pump(open);
        });
      } else if (log.ended) {
        leave();
        open.end();
      }
    }

    function onDismiss(error: GatewayError): void {
      leave();
      void writer?.write(`retry: ${COME_BACK_MS}\ndata: ${JSON.stringify(error.toBody())}\n\n${SSE_DONE_FRAME}`);
      if (writer) writer.end();
      else reject(error);
    }
  });
}

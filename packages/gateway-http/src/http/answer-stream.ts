import { SSE_CONTENT_TYPE } from "@openclaw/protocol";
import type { FastifyReply } from "fastify";
import type { RunEvent } from "../chat/run-event.ts";
import { createFrameEncoder, type FrameOptions } from "../chat/to-frames.ts";
import type { Run } from "../runs/run.ts";
import { createSseWriter, type SseWriter, type SseWriterOptions } from "../sse/sse-writer.ts";
import { abortWhenGone } from "./abort-when-gone.ts";

export interface AnswerStreamOptions extends SseWriterOptions, Omit<FrameOptions, "id" | "created"> {
  /** Milliseconds the head waits for the agent's first event. */
  commitAfterMs: number;
}

/**
 * Answers with events as the run makes them.
 *
 * The head is held back until the agent says something or `commitAfterMs` have passed: a failure before that is still
 * a plain HTTP error, which clients retry by themselves. Such an error rejects; after that point nothing rejects, and
 * the stream ends with a finish or an error frame, then `[DONE]`.
 */
export function answerStream(reply: FastifyReply, run: Run, options: AnswerStreamOptions): Promise<void> {
  const { raw } = reply;
  const encode = createFrameEncoder({ ...options, id: run.id, created: run.created });
  return new Promise((resolve, reject) => {
    let writer: SseWriter | undefined;
    let held = "";
    let commitTimer: NodeJS.Timeout | undefined;

    function commit(): SseWriter {
      clearTimeout(commitTimer);
      reply.hijack();
      resolve();
      raw.writeHead(200, streamHeaders(reply));
      writer = createSseWriter(raw, options);
      void writer.write(held);
      return writer;
    }

    run.subscribe((events) => {
      const first = events[0] as RunEvent;
      if (!writer && first.type === "run-start") {
        held = encode(first);
        commitTimer = setTimeout(commit, options.commitAfterMs);
        return undefined;
      }
      const last = events.at(-1) as RunEvent;
      if (!writer && last.type === "run-error") {
        clearTimeout(commitTimer);
        reject(last.error);
        return undefined;
      }
      const open = writer ?? commit();
      let frames = "";
      for (const event of events) frames += encode(event);
      const full = frames === "" ? undefined : open.write(frames);
      if (last.type === "run-end" || last.type === "run-error") open.end();
      return full;
    });
    abortWhenGone(raw, run);
  });
}

/** The head of a stream: what the reply has, and what makes it one. */
export function streamHeaders(reply: FastifyReply): Record<string, string> {
  return {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": SSE_CONTENT_TYPE,
    "cache-control": "no-cache, no-transform",
    // nginx buffers an answer unless told not to.
    "x-accel-buffering": "no",
  };
}

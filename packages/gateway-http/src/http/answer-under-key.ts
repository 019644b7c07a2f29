import { HEADERS } from "@openclaw/protocol";
import type { FastifyReply } from "fastify";
import { createFrameEncoder } from "../chat/to-frames.ts";
import type { AnswerLog } from "../runs/answer-log.ts";
import type { Journal } from "../runs/journal.ts";
import { drainingError } from "../runs/runs.ts";
import { encodeSessionKey } from "../sessions/session-key.ts";
import type { AnswerOptions } from "./answer.ts";
import { answerJsonFromLog, answerStreamFromLog } from "./answer-from-log.ts";
import { type Asked, completionOf, startAsked } from "./asked.ts";
import { invalidResume, type LastEvent } from "./request-headers.ts";

export interface KeyedAnswerOptions extends AnswerOptions {
  journal: Journal;
  key: string;
  fingerprint: string;
  /** The last event that this caller has had. */
  lastEvent: LastEvent | undefined;
}

/** Says the answer under this key: what there is of it, then what comes. When nobody has asked before, runs it. */
export async function answerUnderKey(reply: FastifyReply, asked: Asked, options: KeyedAnswerOptions): Promise<void> {
  const { journal, key, fingerprint, lastEvent, runs } = options;
  const { session, turn } = asked.run;
  const request = { owner: session.owner, key, fingerprint, stream: turn.stream, sessionKey: session.key };
  const { log, replayed } = await journal.open(request, lastEvent !== undefined, (beforeEnd) => {
    const run = startAsked(asked, options, beforeEnd);
    return {
      run,
      toFrames: createFrameEncoder({ ...asked.frames, id: run.id, created: run.created }),
      toBody: (end) => JSON.stringify(completionOf(run, end, asked.frames)),
    };
  });
  // The run goes on, and its answer will be found by whoever asks the next gateway.
  if (replayed && runs.draining && !log.ended) throw drainingError();
  const from = lastEvent ? frameAfter(lastEvent, log) : 0;
  if (!log.has(from)) throw invalidResume("names an event that is not kept");
  reply.headers({ [HEADERS.runId]: log.runId, [HEADERS.sessionKey]: encodeSessionKey(log.sessionKey) });
  if (replayed) reply.header(HEADERS.idempotencyReplayed, "true");
  if (!log.stream) return answerJsonFromLog(reply, log, options);
  return answerStreamFromLog(reply, log, { ...options, from });
}

function frameAfter({ runId, index }: LastEvent, log: AnswerLog): number {
  if (runId !== log.runId || !log.stream) throw invalidResume("is of another answer");
  return index + 1;
}

import { HEADERS } from "@openclaw/protocol";
import type { FastifyReply } from "fastify";
import { createFrameEncoder } from "../chat/to-frames.ts";
import type { AnswerLog } from "../runs/answer-log.ts";
import { type Journal, resumeLost } from "../runs/journal.ts";
import { encodeSessionKey } from "../sessions/session-key.ts";
import type { AnswerOptions } from "./answer.ts";
import { answerJsonFromLog, answerNobody, answerStreamFromLog } from "./answer-from-log.ts";
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
  const { journal, key, fingerprint, lastEvent } = options;
  const { session, turn } = asked.run;
  const request = { owner: session.owner, key, fingerprint, stream: turn.stream, sessionKey: session.key };
  const { log, replayed } = await journal.open(request, lastEvent !== undefined, (hooks) => {
    const run = startAsked(asked, options, hooks);
    return {
      run,
      toFrames: createFrameEncoder({ ...asked.frames, id: run.id, created: run.created }),
      toBody: (end) => JSON.stringify(completionOf(run, end, asked.frames)),
    };
  });
  const from = lastEvent ? frameAfter(lastEvent, log) : 0;
  if (!log.has(from)) throw resumeLost("The answer is too long to be kept, and its beginning is gone.");
  reply.headers({ [HEADERS.runId]: log.runId, [HEADERS.sessionKey]: encodeSessionKey(log.sessionKey) });
  if (replayed) reply.header(HEADERS.idempotencyReplayed, "true");
  if (reply.raw.destroyed) return answerNobody(reply, log);
  if (!log.stream) return answerJsonFromLog(reply, log, options);
  // It has had everything: 204 tells clients of the standard to stop coming back.
  if (log.ended && from === log.length && lastEvent) return void reply.code(204).send();
  return answerStreamFromLog(reply, log, { ...options, from });
}

function frameAfter({ runId, index }: LastEvent, log: AnswerLog): number {
  if (runId !== log.runId || !log.stream) throw invalidResume("is of another answer");
  if (index >= log.length) throw invalidResume("names an event that has not been sent");
  return index + 1;
}

import { HEADERS } from "@openclaw/protocol";
import type { FastifyReply } from "fastify";
import type { CompletionStore } from "../completions/store.ts";
import type { Runs } from "../runs/runs.ts";
import { encodeSessionKey } from "../sessions/session-key.ts";
import type { SseWriterOptions } from "../sse/sse-writer.ts";
import { answerJson } from "./answer-json.ts";
import { answerStream } from "./answer-stream.ts";
import { type Asked, startAsked } from "./asked.ts";

export interface AnswerOptions extends SseWriterOptions {
  runs: Runs;
  completions: CompletionStore;
  commitAfterMs: number;
}

/** Runs what was asked for and says it, to this caller only: when it leaves, the run ends. */
export function answer(reply: FastifyReply, asked: Asked, options: AnswerOptions): Promise<unknown> {
  const run = startAsked(asked, options);
  reply.headers({ [HEADERS.runId]: run.id, [HEADERS.sessionKey]: encodeSessionKey(asked.run.session.key) });
  const { frames } = asked;
  if (asked.body.stream === true) return answerStream(reply, run, { ...options, ...frames });
  return answerJson(reply, run, { ...frames, slowClientMs: options.slowClientMs });
}

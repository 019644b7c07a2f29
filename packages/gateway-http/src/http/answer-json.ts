import type { FastifyReply } from "fastify";
import type { CompletionOptions } from "../chat/to-completion.ts";
import type { Run } from "../runs/run.ts";
import { cutWhenSlow, type SseWriterOptions } from "../sse/sse-writer.ts";
import { abortWhenGone } from "./abort-when-gone.ts";
import { completionOf } from "./asked.ts";

type AnswerJsonOptions = Pick<CompletionOptions, "model" | "reasoning"> & Pick<SseWriterOptions, "slowClientMs">;

/** Answers with the whole completion once the run has ended. */
export async function answerJson(
  reply: FastifyReply,
  run: Run,
  { model, reasoning, slowClientMs }: AnswerJsonOptions,
): Promise<FastifyReply> {
  abortWhenGone(reply.raw, run);
  const { answer, usage, finishReason, error } = await run.result;
  if (error) throw error;
  const completion = completionOf(run, { answer, usage, finishReason: finishReason ?? "stop" }, { model, reasoning });
  reply.header("cache-control", "no-store").send(completion);
  cutWhenSlow(reply.raw, slowClientMs);
  return reply;
}

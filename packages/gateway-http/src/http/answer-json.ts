import type { FastifyReply } from "fastify";
import { type CompletionOptions, toCompletion } from "../chat/to-completion.ts";
import type { Run } from "../runs/run.ts";
import { clientGone } from "./client-gone.ts";

/** Answers with the whole completion once the run has ended. */
export async function answerJson(
  reply: FastifyReply,
  run: Run,
  { model, reasoning }: Pick<CompletionOptions, "model" | "reasoning">,
): Promise<FastifyReply> {
  reply.raw.once("close", () => run.abort(clientGone()));
  const { answer, usage, finishReason, error } = await run.result;
  if (error) throw error;
  const { id, created } = run;
  return reply
    .header("cache-control", "no-store")
    .send(toCompletion({ id, created, model, answer, finishReason: finishReason ?? "stop", usage, reasoning }));
}

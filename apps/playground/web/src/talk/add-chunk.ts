import type { ChatCompletionChunk } from "@openclaw/client";
import { endCut } from "./cut.ts";
import type { Answer } from "./entry.ts";
import { addToFigures } from "./figures.ts";
import { addToParts } from "./parts.ts";

/** What a chunk changes of its answer. */
export function addChunk(answer: Answer, chunk: ChatCompletionChunk, at: number, sentAt: number): Partial<Answer> {
  const finishReason = chunk.choices[0]?.finish_reason;
  return {
    parts: addToParts(answer.parts, chunk, at),
    figures: addToFigures(answer.figures, chunk, at - sentAt),
    cuts: endCut(answer.cuts, at),
    ...(finishReason && { finishReason }),
  };
}

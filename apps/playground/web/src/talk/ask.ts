import type { Client } from "@openclaw/client";
import type { FrameLog } from "../wire/frame-log.ts";
import { addChunk } from "./add-chunk.ts";
import { addTry } from "./cut.ts";
import type { Answer } from "./entry.ts";
import { endThought, toAnswerText } from "./parts.ts";
import { isStoppedElsewhere, type Problem, runOf, toProblem } from "./problem.ts";

/** Enough to come back for as long as the gateway waits, 30 s: the plug holds each try up for 6 s. */
const RETRIES = 4;

export interface Question {
  readonly text: string;
  readonly model: string;
  readonly sessionKey: string;
  /** Of whoever does not want the answer any more. */
  readonly signal: AbortSignal;
}

export interface AskOptions {
  client: Client;
  frames: FrameLog;
  now(): number;
  update(change: (answer: Answer) => Partial<Answer>): void;
  /** Told which run it is, and of which session, as soon as the gateway says so; of a failure, at its end. */
  onHead(runId: string | null, sessionId: string | null): void;
  onProblem(problem: Problem): void;
}

/** Asks an agent and follows its answer to the end, whatever that is. */
export async function ask({ text, model, sessionKey, signal }: Question, options: AskOptions): Promise<void> {
  const { client, frames, now, update, onHead, onProblem } = options;
  const sentAt = now();
  let ending: Partial<Answer> = { status: "done" };
  try {
    const stream = await client.chat.completions.create(
      { model, messages: [{ role: "user", content: text }], stream: true, stream_options: { include_usage: true } },
      { signal, sessionKey, maxRetries: RETRIES, activity: true },
    );
    const { runId, sessionKey: sessionId } = stream;
    update(() => ({ ...(runId !== null && { runId }), ...(sessionId !== null && { sessionId }) }));
    onHead(runId, sessionId);
    stream.on("resume", ({ attempt }) => {
      if (attempt === 1) frames.add("note", "connection lost");
      update((answer) => ({ cuts: addTry(answer.cuts, toAnswerText(answer.parts), now()) }));
    });
    for await (const chunk of stream) update((answer) => addChunk(answer, chunk, now(), sentAt));
  } catch (error) {
    onHead(runOf(error), null);
    const problem = toProblem(error);
    if (signal.aborted) {
      ending = { status: "stopped" };
      frames.add("note", "closed by this page");
    } else if (isStoppedElsewhere(error)) {
      ending = { status: "stopped", isStoppedElsewhere: true };
    } else {
      ending = { status: "failed", problem };
      onProblem(problem);
    }
  }
  const endedAt = now();
  update(({ figures, parts }) => ({
    ...ending,
    parts: endThought(parts, endedAt),
    figures: { ...figures, totalMs: endedAt - sentAt },
  }));
}

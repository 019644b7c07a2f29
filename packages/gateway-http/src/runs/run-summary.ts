import { textOf } from "../chat/turn.ts";
import type { Run, RunResult } from "./run.ts";
import type { RunRequest } from "./run-request.ts";

/** What the log has of a question and of an answer, with `logging.content`. In UTF-16 code units. */
const MAX_CONTENT = 4096;

/** One line of the log for each run. No word of what was said is in it, unless `logging.content` asks for it. */
export interface RunSummary {
  runId: string;
  owner: string;
  agent: string;
  stream: boolean;
  stateless: boolean;
  /** `stop`, `length`, `tool_calls`, `content_filter`, or the code of the error that ended it. */
  ended: string;
  /** The model that was asked last, `provider/model`; absent where it said nothing, or the agent does not say. */
  model?: string;
  /** It was not the agent's first choice. */
  fallback?: true;
  /** Milliseconds from the request to the agent's first event; absent when it said nothing. */
  firstTokenMs?: number;
  /** Milliseconds. */
  ms: number;
  promptTokens?: number;
  completionTokens?: number;
  /** The text of the last user message, and of the answer: only with `logging.content`. */
  question?: string;
  answer?: string;
}

export interface Ended {
  run: Run;
  request: RunRequest;
  result: RunResult;
  /** By `performance.now()`. */
  startedAt: number;
  withContent: boolean;
}

export function summarize({ run, request, result, startedAt, withContent }: Ended): RunSummary {
  const { agent, session, turn } = request;
  const { answer, usage, error, finishReason } = result;
  return {
    runId: run.id,
    owner: session.owner,
    agent: agent.id,
    stream: turn.stream,
    stateless: session.stateless,
    ended: error?.code ?? finishReason ?? "stop",
    ...(answer.model && { model: answer.model.model, ...(answer.model.fallback && { fallback: true }) }),
    ...(run.firstEventAt !== undefined && { firstTokenMs: round(run.firstEventAt - startedAt) }),
    ms: round(performance.now() - startedAt),
    ...(usage && { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens }),
    ...(withContent && {
      question: cut(textOf(turn.messages.findLast(({ role }) => role === "user")?.content)),
      answer: cut(answer.text || answer.refusal),
    }),
  };
}

function cut(text: string): string {
  return text.length > MAX_CONTENT ? `${text.slice(0, MAX_CONTENT)}…` : text;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

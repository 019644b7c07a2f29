import type { Client, SessionMessage } from "@openclaw/client";
import { textOf } from "./steps.ts";

/** What the gateway has of an answer, beside what came: the same, something else, or nobody knows. */
export type Verdict = "same" | "other" | "unknown";

/** Names an answer in its session. */
export interface AnswerRef {
  readonly sessionId: string;
  readonly runId: string;
}

/** What the session keeps of a run, its steps too, if it is one of the last. */
export async function readRun(client: Client, { sessionId, runId }: AnswerRef): Promise<readonly SessionMessage[]> {
  const { data } = await client.sessions.messages(sessionId, { order: "desc", limit: 100 });
  return data.filter(({ run_id }) => run_id === runId);
}

export function findAnswer(messages: readonly SessionMessage[]): SessionMessage | undefined {
  return messages.find(({ role, hidden }) => role === "assistant" && !hidden);
}

/** Whether nothing was lost and nothing doubled, by the gateway's own record and not by what the page believes. */
export function compareWithRecord(messages: readonly SessionMessage[], text: string): Verdict {
  const kept = findAnswer(messages);
  if (kept === undefined) return "unknown";
  return textOf(kept) === text ? "same" : "other";
}

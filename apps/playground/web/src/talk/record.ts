import type { Client, SessionMessage } from "@openclaw/client";

/** What the gateway has of an answer, beside what came: the same, something else, or nobody knows. */
export type Verdict = "same" | "other" | "unknown";

/** Names an answer in its session. */
export interface AnswerRef {
  readonly sessionId: string;
  readonly runId: string;
}

/** The answer as its session keeps it, if it is one of the last. */
export async function findAnswer(client: Client, ref: AnswerRef): Promise<SessionMessage | undefined> {
  const { data } = await client.sessions.messages(ref.sessionId, { order: "desc", limit: 100 });
  return data.find(({ role, hidden, run_id }) => role === "assistant" && !hidden && run_id === ref.runId);
}

/** Whether nothing was lost and nothing doubled, by the gateway's own record and not by what the page believes. */
export async function compareWithRecord(client: Client, ref: AnswerRef, text: string): Promise<Verdict> {
  const kept = await findAnswer(client, ref).catch(() => undefined);
  if (kept === undefined) return "unknown";
  return textOf(kept) === text ? "same" : "other";
}

export function textOf({ content }: SessionMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (part.type === "text" ? String(part.text) : "")).join("");
}

import type { Client } from "@openclaw/client";
import type { Answer } from "./entry.ts";
import { toAnswerText } from "./parts.ts";
import { compareWithRecord, findAnswer, readRun } from "./record.ts";
import { toParts, withResults } from "./steps.ts";

const MAX_TITLE = 80;

/** After the first question: a list of keys would tell nobody anything. */
export async function nameSession(client: Client, { sessionId }: Answer, question: string): Promise<void> {
  if (sessionId === undefined) return;
  const title = question.trim().replaceAll(/\s+/g, " ").slice(0, MAX_TITLE).toWellFormed();
  await client.sessions.update(sessionId, { title }).catch(() => {});
}

/** What the gateway kept of this page's answer, where that says more than what came: of cuts and of tools. */
export async function compare(client: Client, answer: Answer): Promise<Partial<Answer>> {
  const { sessionId, runId, parts, cuts } = answer;
  if (cuts.length === 0 && parts.every(({ kind }) => kind !== "tool")) return {};
  const isKnown = sessionId !== undefined && runId !== undefined;
  const kept = isKnown ? await readRun(client, { sessionId, runId }).catch(() => []) : [];
  return {
    parts: withResults(parts, kept),
    ...(cuts.length > 0 && { verdict: compareWithRecord(kept, toAnswerText(parts)) }),
  };
}

/** What it kept of another's answer: what was done for it, and what it took. */
export async function complete(client: Client, { sessionId, runId, figures }: Answer): Promise<Partial<Answer>> {
  if (sessionId === undefined || runId === undefined) return {};
  const kept = await readRun(client, { sessionId, runId }).catch(() => []);
  const message = findAnswer(kept);
  if (message === undefined) return {};
  const steps = kept.filter(({ hidden }) => hidden).toReversed();
  return { parts: toParts(steps, message), figures: { ...figures, ...(message.usage && { usage: message.usage }) } };
}

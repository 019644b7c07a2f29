import type { Client, Session, SessionMessage } from "@openclaw/client";
import type { NewEntry } from "./entry.ts";
import { NO_FIGURES } from "./figures.ts";
import { textOf } from "./record.ts";

/** More are not shown. */
const MAX_MESSAGES = 100;

/** What a talk shows of a session: its last messages, without the agent's own steps. */
export async function readSession(client: Client, session: Session): Promise<readonly NewEntry[]> {
  const { data, has_more } = await client.sessions.messages(session.id, { order: "desc", limit: MAX_MESSAGES });
  const start = has_more ? [{ kind: "note" as const, text: `The last ${MAX_MESSAGES} messages.` }] : [];
  const shown = data.toReversed().filter(({ role, hidden }) => role !== "tool" && !hidden);
  return [...start, ...shown.map((message) => toEntry(message, session))];
}

function toEntry(message: SessionMessage, { id: sessionId, agent }: Session): NewEntry {
  const text = textOf(message);
  if (message.role === "user") return { kind: "said", text };
  return {
    kind: "answer",
    model: toModel(agent),
    status: message.aborted ? "stopped" : "done",
    text,
    reasoning: "",
    figures: { ...NO_FIGURES, ...(message.usage && { usage: message.usage }) },
    cuts: [],
    runId: message.run_id,
    sessionId,
  };
}

/** What a request says as `model` for this agent to answer. */
export function toModel(agent: string): string {
  return `openclaw/${agent}`;
}

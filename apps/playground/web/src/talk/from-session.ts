import type { Client, Session, SessionMessage } from "@openclaw/client";
import type { Answer, NewEntry } from "./entry.ts";
import { NO_FIGURES } from "./figures.ts";
import { textOf, toParts, withResults } from "./steps.ts";

/** More are not read. */
const MAX_MESSAGES = 100;

/** What a talk shows of a session: its last messages, with the agent's own steps in the answers they led to. */
export async function readSession(client: Client, session: Session): Promise<readonly NewEntry[]> {
  const { data, has_more } = await client.sessions.messages(session.id, { order: "desc", limit: MAX_MESSAGES });
  const entries = toEntries(data.toReversed(), session);
  return has_more ? [{ kind: "note", text: "What came before is not shown." }, ...entries] : entries;
}

function toEntries(messages: readonly SessionMessage[], session: Session): NewEntry[] {
  const entries: NewEntry[] = [];
  let steps: SessionMessage[] = [];
  for (const message of messages) {
    if (message.hidden) {
      steps.push(message);
    } else if (message.role === "tool") {
      // Of a tool that another caller has: it belongs to the answer that asked for it.
      const asked = entries.at(-1);
      if (asked?.kind === "answer")
        entries[entries.length - 1] = { ...asked, parts: withResults(asked.parts, [message]) };
    } else {
      entries.push(
        message.role === "user"
          ? { kind: "said", text: textOf(message), runId: message.run_id, messageId: message.id }
          : toAnswer(message, steps, session),
      );
      steps = [];
    }
  }
  return entries;
}

function toAnswer(
  message: SessionMessage,
  steps: readonly SessionMessage[],
  { id: sessionId, agent }: Session,
): Omit<Answer, "id"> {
  return {
    kind: "answer",
    model: toModel(agent),
    status: message.aborted ? "stopped" : "done",
    parts: toParts(steps, message),
    figures: { ...NO_FIGURES, ...(message.usage && { usage: message.usage }) },
    cuts: [],
    runId: message.run_id,
    messageId: message.id,
    sessionId,
  };
}

/** What a request says as `model` for this agent to answer. */
export function toModel(agent: string): string {
  return `openclaw/${agent}`;
}

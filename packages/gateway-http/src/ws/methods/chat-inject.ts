import type { TurnMessage } from "../../chat/turn.ts";
import type { Entry } from "../../sessions/entry.ts";
import { requireRoom } from "../../sessions/require-room.ts";
import { idOfSession } from "../../sessions/store.ts";
import { toEntry } from "../../sessions/to-entries.ts";
import { toChatMessages, visibleTo } from "../chat-message.ts";
import type { Call, Method } from "../method.ts";
import { type NamedSession, writableRefOf } from "../session-ref.ts";
import { readMessage } from "../start-turn.ts";
import { noSuchSession } from "./sessions-end.ts";

/** `chat.inject`: words of the assistant's that no run gave, behind the head of a session that is there. */
export const chatInject: Method<"chat.inject"> = {
  needs: "sessions",
  async run({ sessionKey, agentId, message, label }, call) {
    const { connection, agents, lanes, news, hub } = call;
    const text = readMessage("chat.inject", message);
    const session = writableRefOf(connection, agents, { key: sessionKey, agentId });
    // It is told whose words they are, as far as is known.
    const content = label?.trim() ? `[${label.trim()}]\n\n${text}` : text;
    const leave = await lanes.enterBetween(idOfSession(session));
    try {
      const told = await keep(session, { role: "assistant", content }, call);
      const { id, runId = "" } = told.__openclaw;
      hub.tell(
        session,
        "chat",
        {
          runId,
          sessionKey: session.key,
          agentId: session.agentId,
          seq: 0,
          state: "final",
          stopReason: "stop",
          message: told,
        },
        ({ caps, messagesOf }) => !caps.has("session-scoped-events") || messagesOf.has(session.key),
      );
      await news.changed(session, { reason: "inject", runId });
      return { ok: true, messageId: id };
    } finally {
      leave();
    }
  },
};

/** Keeps a message at the head. */
async function keep(session: NamedSession, message: TurnMessage, { sessions }: Call) {
  const transcript = await sessions.read(session);
  if (!transcript) throw noSuchSession(session);
  requireRoom(transcript.weight, [{ message }]);
  const made = toEntry("", transcript.head?.entry.id ?? null, { message });
  const entry: Entry = { ...made, runId: `inject-${made.id}` };
  const isKept = await sessions.append(session, { agent: transcript.meta.agent, entries: [entry], head: entry.id });
  const now = isKept ? await sessions.read(session) : undefined;
  const told = now && toChatMessages(visibleTo(now, entry.id)).at(-1);
  if (!told) throw noSuchSession(session);
  return told;
}

import type { Transcript } from "../../sessions/transcript.ts";
import { toChatMessages, visibleTo, withText } from "../chat-message.ts";
import type { Method } from "../method.ts";
import { defaultsOf, sessionIdOf, tokensOf, toSessionRow } from "../rows.ts";
import { refOf } from "../session-ref.ts";

const DEFAULT_LIMIT = 200;

/** What a run is to answer, where that follows the head, which gets there with the answer only. */
function questionOf(runId: string, { visible, head }: Transcript): string | undefined {
  const question = visible.findLast(({ entry }) => entry.runId === runId);
  let above = question?.visibleParent;
  while (above && above !== head && above.entry.runId === runId) above = above.visibleParent;
  return above === head ? question?.entry.id : undefined;
}

/**
 * `chat.history`: the newest messages of the talk up to the head, and what is being answered behind it. One that never
 * was is empty.
 */
export const chatHistory: Method<"chat.history"> = {
  needs: "sessions",
  async run({ sessionKey, agentId, limit = DEFAULT_LIMIT, offset = 0, maxChars }, call) {
    const { connection, agents, sessions, runs } = call;
    const session = refOf(connection, agents, { key: sessionKey, agentId });
    const transcript = await sessions.read(session);
    // In the same moment: what is in the one is not in the other.
    const run = runs.findInSession(session);
    // Before the end of a run is told, its answer is kept already.
    const isAnswerKept = run?.abortable === false && transcript?.head?.entry.runId === run.id;
    const all = transcript ? visibleTo(transcript, run && questionOf(run.id, transcript)) : [];
    const end = Math.max(0, all.length - offset);
    const start = Math.max(0, end - limit);
    const page = toChatMessages(all, start, end);
    const { thinking } = transcript?.meta.settings ?? {};
    return {
      sessionKey,
      ...(transcript && { sessionId: sessionIdOf(session) }),
      messages: maxChars === undefined ? page : page.map((message) => withText(message, maxChars)),
      pendingInputs: { items: [], total: 0 },
      hasMore: start > 0,
      ...(start > 0 && { nextOffset: all.length - start }),
      totalMessages: all.length,
      defaults: defaultsOf(connection.caller, agents),
      sessionInfo: {
        ...toSessionRow(session, transcript?.meta, session.agentId, call),
        ...(transcript && tokensOf(transcript)),
      },
      ...(run && !isAnswerKept && { inFlightRun: { runId: run.id, text: run.answer.text } }),
      ...(thinking !== undefined && { thinkingLevel: thinking }),
    };
  },
};

import type { AgentRegistry } from "../agents/registry.ts";
import type { Runs } from "../runs/runs.ts";
import type { Addition } from "../sessions/entry.ts";
import type { SessionRef, SessionStore } from "../sessions/store.ts";
import type { SessionChanged } from "../sessions/telling-store.ts";
import { toChatMessages, visibleTo } from "./chat-message.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { agentIdOf, type RowParts, sessionIdOf, tokensOf, toSessionRow } from "./rows.ts";

export interface NewsOptions {
  hub: Hub;
  sessions: Pick<SessionStore, "read" | "find">;
  runs: Pick<Runs, "inSession">;
  current(): { readonly agents: AgentRegistry };
  /** Told of what hindered the telling. */
  onBug(error: unknown, context: { event: string }): void;
}

/** What became of a session, besides what was said in it. */
interface SessionNews {
  reason?: SessionChanged | "inject";
  /** A run began or ended in it. */
  phase?: "start" | "end" | "error";
  runId?: string;
}

/** Tells clients what happened to sessions. Without anybody who hears of it, it does nothing. */
export interface News {
  /** Settles when those who read a session along were told of what was added. */
  appended(session: SessionRef, addition: Addition): Promise<void> | undefined;
  /** Settles when those were told who hear of all sessions, and, but of runs, those who read this one along. Never rejects. */
  changed(session: SessionRef, news: SessionNews): Promise<void> | undefined;
}

export function createNews({ hub, sessions, runs, current, onBug }: NewsOptions): News {
  function isHeard(session: SessionRef, who: (connection: Connection) => boolean): boolean {
    for (const connection of hub.audience(session)) if (who(connection)) return true;
    return false;
  }

  const parts = (): RowParts => ({ runs, agents: current().agents });

  async function tellMessages(session: SessionRef, { agent, entries }: Addition): Promise<void> {
    const transcript = await sessions.read(session);
    // The last of what was added leads to all of it. The head may not be there yet.
    const last = entries.findLast(({ hidden }) => !hidden);
    if (!transcript || !last) return;
    const added = new Set(entries.map(({ id }) => id));
    const row = { ...toSessionRow(session, transcript.meta, agent, parts()), ...tokensOf(transcript) };
    const visible = visibleTo(transcript, last.id);
    const first = visible.findIndex(({ id }) => added.has(id));
    // Somebody deleted the session meanwhile, and it began anew.
    if (first < 0) return;
    const about = { sessionKey: session.key, sessionId: sessionIdOf(session), agentId: row.agentId };
    const { updatedAt } = transcript.meta;
    const messages = toChatMessages(visible, first).map((message) => {
      const { id: messageId, seq: messageSeq } = message.__openclaw;
      return { ...about, message, messageId, messageSeq, updatedAt, session: row };
    });
    hub.tellAll(session, "session.message", messages, (connection) => hearsMessages(connection, session));
  }

  async function tellChange(session: SessionRef, news: SessionNews): Promise<void> {
    const { key: sessionKey } = session;
    const { agents } = current();
    const info = news.reason === "delete" ? undefined : await sessions.find(session);
    const agentId = info?.agent ?? agentIdOf(sessionKey, agents);
    const row = news.reason === "delete" ? null : toSessionRow(session, info, agentId, parts());
    const payload = { sessionKey, agentId, ts: Date.now(), ...news, session: row };
    hub.tell(session, "sessions.changed", payload, (connection) => hearsChange(connection, session, news));
  }

  return {
    appended(session, addition) {
      if (!isHeard(session, (connection) => hearsMessages(connection, session))) return undefined;
      return tellMessages(session, addition);
    },
    changed(session, news) {
      if (!isHeard(session, (connection) => hearsChange(connection, session, news))) return undefined;
      return tellChange(session, news).catch((error) => onBug(error, { event: "sessions.changed" }));
    },
  };
}

function hearsSessions({ caller, hearsSessions }: Connection): boolean {
  // It may have lost this since it asked.
  return hearsSessions && caller.scopes.has("sessions");
}

/** Whoever reads a session along hears, too, that it is another one now, but of its runs in their own events. */
function hearsChange(connection: Connection, session: SessionRef, { phase }: SessionNews): boolean {
  return hearsSessions(connection) || (phase === undefined && readsAlong(connection, session));
}

function hearsMessages(connection: Connection, session: SessionRef): boolean {
  if (readsAlong(connection, session)) return true;
  return hearsSessions(connection) && !connection.caps.has("session-scoped-events");
}

function readsAlong({ caller, messagesOf }: Connection, { key }: SessionRef): boolean {
  return messagesOf.has(key) && caller.scopes.has("sessions");
}

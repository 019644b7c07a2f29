import type { Entry, SessionSettings } from "../entry.ts";
import type { SessionInfo } from "../store.ts";
import { Transcript, type TranscriptMeta } from "../transcript.ts";
import type { Answers, CountedRow, EntryRow, SessionRow } from "./operations.ts";

export function toRow({ id, parent, message, runId, at, hidden, aborted, alone, usage }: Entry): EntryRow {
  return {
    id,
    parent,
    message: JSON.stringify(message),
    run_id: runId,
    at,
    hidden: hidden ? 1 : 0,
    alone: alone ? 1 : 0,
    aborted: aborted ? 1 : 0,
    usage: usage ? JSON.stringify(usage) : null,
  };
}

export function toTranscript({ session, entries }: NonNullable<Answers["read"]>): Transcript {
  const transcript = new Transcript(toMeta(session));
  transcript.add({
    entries: entries.map(toEntry),
    ...(session.head !== null && { head: session.head }),
    carriesHistory: session.carries_history === 1,
  });
  return transcript;
}

export function toInfo(row: CountedRow): SessionInfo {
  const { key, head, messages, branches } = row;
  return { key, ...toMeta(row), head, messages, branches };
}

function toMeta({ agent, title, settings, created_at, updated_at }: SessionRow): TranscriptMeta {
  const chosen = settings === null ? {} : JSON.parse(settings);
  return { agent, title, settings: chosen, createdAt: created_at, updatedAt: updated_at };
}

/** As they are kept: `null` for none. */
export function toSettingsText(settings: SessionSettings = {}): string | null {
  return Object.keys(settings).length === 0 ? null : JSON.stringify(settings);
}

function toEntry({ id, parent, message, run_id, at, hidden, alone, aborted, usage }: EntryRow): Entry {
  return {
    id,
    parent,
    message: JSON.parse(message),
    runId: run_id,
    at,
    ...(hidden && { hidden: true }),
    ...(alone && { alone: true }),
    ...(aborted && { aborted: true }),
    ...(usage !== null && { usage: JSON.parse(usage) }),
  };
}

import { randomUUID } from "node:crypto";
import { copyMessage } from "../chat/turn.ts";
import type { Entry } from "./entry.ts";
import type { NewMessage } from "./reconcile.ts";

/** Entries of messages, each the child of the one before. */
export function toEntries(runId: string, parent: string | null, fresh: readonly NewMessage[]): Entry[] {
  const entries: Entry[] = [];
  for (const item of fresh) entries.push(toEntry(runId, entries.at(-1)?.id ?? parent, item));
  return entries;
}

/** An entry of a message, which shares nothing with it. */
export function toEntry(runId: string, parent: string | null, { message, ...flags }: NewMessage): Entry {
  const id = `msg_${randomUUID().replaceAll("-", "")}`;
  return { id, parent, message: copyMessage(message), runId, at: Date.now(), ...flags };
}

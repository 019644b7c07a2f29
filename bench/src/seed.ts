import { mkdirSync } from "node:fs";
import { toAskText } from "./ask.ts";
import { STAMP_DIGITS } from "./clock.ts";

/** Sessions `bench-seed-0`, `-1`, … of `messages` each, spread evenly among `others` sessions of two. */
export type Seed = { sessions: number; messages: number; others: number };

/** Sessions in one transaction. */
const BATCH = 1000;
/** How the gateway calls who has its token, and its agent `main`. */
const OWNER = "operator";
const AGENT = "main";

export const toSeedKey = (session: number) => `bench-seed-${session}`;

/** Writes them with the gateway's own writer, so that they are as it would have left them. */
export async function seedSessions(folder: string, { sessions, messages, others }: Seed): Promise<void> {
  // Only here: without a gateway the bench needs none of its code.
  const { Database } = await import("../../packages/gateway-http/src/sessions/sqlite/database.ts");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new Database({ folder, sync: "normal", lockTimeoutMs: 1000 });
  try {
    const keys = toKeys(sessions, others);
    for (let start = 0; start < keys.length; start += BATCH) {
      const batch = keys.slice(start, start + BATCH).map(({ key, own }) => toAppend(key, own ? messages : 2));
      const failed = database.execute(batch).find((outcome) => "error" in outcome || outcome.value !== true);
      if (failed) throw new Error(`the state folder could not be filled: ${JSON.stringify(failed)}`);
    }
  } finally {
    database.close();
  }
}

function toKeys(sessions: number, others: number): { key: string; own: boolean }[] {
  const every = others / sessions;
  return Array.from({ length: sessions }, (_, session) => [
    { key: toSeedKey(session), own: true },
    ...Array.from({ length: Math.floor((session + 1) * every) - Math.floor(session * every) }, (_, other) => ({
      key: `bench-other-${session}-${other}`,
      own: false,
    })),
  ]).flat();
}

function toAppend(key: string, messages: number) {
  const at = Date.now();
  const question = JSON.stringify({ role: "user", content: toAskText({ tokens: 20 }) });
  const answer = JSON.stringify({ role: "assistant", content: `t${"1".repeat(STAMP_DIGITS)};`.repeat(20) });
  const entries = Array.from({ length: messages }, (_, index) => ({
    id: `msg_${key}-${index}`,
    parent: index === 0 ? null : `msg_${key}-${index - 1}`,
    message: index % 2 === 0 ? question : answer,
    run_id: `chatcmpl-${key}-${Math.floor(index / 2)}`,
    at,
    hidden: 0,
    alone: 0,
    aborted: 0,
    usage: null,
  }));
  const head = entries.at(-1)?.id ?? null;
  return {
    kind: "append" as const,
    owner: OWNER,
    key: `agent:${AGENT}:${key}`,
    agent: AGENT,
    at,
    anchor: null,
    staleBefore: 0,
    entries,
    head,
    carriesHistory: false,
  };
}

import type { AgentActivity, ChatCompletionChunk } from "@openclaw/client";
import type { Cut } from "./cut.ts";

/** What an answer is made of, in order of happening. */
export type Part = Words | Thought | ToolUse;

/** Text of the answer itself. */
interface Words {
  readonly kind: "words";
  readonly text: string;
}

/** Milliseconds of the page's clock. Absent of what was not watched, but read from a session. */
interface Lasting {
  readonly beganAt?: number;
  readonly endedAt?: number;
}

/** What the agent thought, where it shows that. */
export interface Thought extends Lasting {
  readonly kind: "thought";
  readonly text: string;
}

export interface ToolUse extends Lasting {
  readonly kind: "tool";
  /** Of the call: the same as the session's. */
  readonly id: string;
  readonly name: string;
  /** Whether it worked, once it has ended. A session does not keep that. */
  readonly ok?: boolean;
  /** As the session has them. */
  readonly arguments?: string;
  readonly result?: string;
  /** Not the agent runs it, but whoever asked; and this page does not. */
  readonly isCallers?: boolean;
}

/** `kept` is one of a session, of which the result says how it went. */
export type ToolState = "running" | "ok" | "failed" | "stopped" | "kept" | "asked";

/** Events that were missed come at once when a connection is back: times of these many milliseconds are not theirs. */
const CATCH_UP_MS = 250;

/** What a chunk adds. */
export function addToParts(parts: readonly Part[], chunk: ChatCompletionChunk, at: number): readonly Part[] {
  const { content, reasoning_content, reasoning, tool_calls = [] } = chunk.choices[0]?.delta ?? {};
  let next = addText(parts, "thought", reasoning_content ?? reasoning, at);
  next = addText(next, "words", content, at);
  for (const { id, function: called } of tool_calls) {
    // Later pieces of a call have no name.
    if (id && called?.name) next = [...endThought(next, at), { kind: "tool", id, name: called.name, isCallers: true }];
  }
  return chunk.openclaw ? addActivity(next, chunk.openclaw, at) : next;
}

/** Ends what is being thought: something else came, or the answer is over. */
export function endThought(parts: readonly Part[], at: number): readonly Part[] {
  const last = parts.at(-1);
  if (last?.kind !== "thought" || last.endedAt !== undefined) return parts;
  return [...parts.slice(0, -1), { ...last, endedAt: at }];
}

/** What the answer says, without what was done for it. */
export function toAnswerText(parts: readonly Part[]): string {
  return parts.map((part) => (part.kind === "words" ? part.text : "")).join("");
}

/** A tool whose end is not known runs on, unless its answer is over. */
export function toToolState({ ok, result, isCallers }: ToolUse, isRunning: boolean): ToolState {
  if (isCallers) return "asked";
  if (ok !== undefined) return ok ? "ok" : "failed";
  if (result !== undefined) return "kept";
  return isRunning ? "running" : "stopped";
}

/** How long it took, in milliseconds; `undefined` when its beginning or its end was not seen as it happened. */
export function toDuration({ beganAt, endedAt }: Lasting, cuts: readonly Cut[]): number | undefined {
  if (beganAt === undefined || endedAt === undefined) return undefined;
  const isLate = (at: number) =>
    cuts.some((cut) => at >= cut.at && at < cut.at + (cut.lastedMs ?? Number.POSITIVE_INFINITY) + CATCH_UP_MS);
  return isLate(beganAt) || isLate(endedAt) ? undefined : endedAt - beganAt;
}

function addText(
  parts: readonly Part[],
  kind: "thought" | "words",
  text: string | null | undefined,
  at: number,
): readonly Part[] {
  if (!text) return parts;
  const last = parts.at(-1);
  if (last?.kind === kind) return [...parts.slice(0, -1), { ...last, text: last.text + text }];
  return [...endThought(parts, at), kind === "words" ? { kind, text } : { kind, text, beganAt: at }];
}

function addActivity(parts: readonly Part[], activity: AgentActivity, at: number): readonly Part[] {
  if (activity.type === "model") return parts;
  const { type, id } = activity;
  if (type === "tool-start") {
    return [...endThought(parts, at), { kind: "tool", id, name: activity.name, beganAt: at }];
  }
  // The last one: an agent may use an id again.
  const index = parts.findLastIndex((part) => part.kind === "tool" && part.id === id && part.ok === undefined);
  return parts.map((part, place) => (place === index ? { ...part, ok: activity.ok, endedAt: at } : part));
}

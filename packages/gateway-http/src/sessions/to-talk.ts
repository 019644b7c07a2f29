import type { AssistantTurnMessage, TurnMessage } from "../chat/turn.ts";
import { copyMessage, textOf } from "../chat/turn.ts";
import type { Entry } from "./entry.ts";
import { toNfc } from "./message-identity.ts";

/**
 * Messages with the agent's own steps among them, as the model is to see them. Pure; gives copies, because what an
 * agent does to its messages must not change what is kept.
 *
 * Callers get the words of all steps as one answer. The model hears each where it said it: what stands in the steps
 * does not come once more in the answer behind them.
 */
export function toTalk(items: readonly Pick<Entry, "message" | "hidden" | "aborted">[]): TurnMessage[] {
  const talk: TurnMessage[] = [];
  /** Where the steps begin that the next answer came of. */
  let from = 0;
  for (const { message, hidden, aborted } of items) {
    const copy = copyMessage(message);
    const told = hidden || copy.role !== "assistant" ? copy : withoutSteps(copy, talk.slice(from), aborted === true);
    if (told) talk.push(told);
    if (!hidden) from = talk.length;
  }
  return talk;
}

/** What an answer says besides its steps; `undefined` for nothing. */
function withoutSteps(
  answer: AssistantTurnMessage,
  steps: readonly TurnMessage[],
  aborted: boolean,
): AssistantTurnMessage | undefined {
  if (steps.length === 0) return answer;
  const spoken = steps.filter((step): step is AssistantTurnMessage => step.role === "assistant");
  const words = spoken.map(({ content }) => textOf(content)).filter((text) => text.trim() !== "");
  const text = textOf(answer.content);
  // Words that callers were not told are in no answer: then it is heard as it was sent.
  const rest = withoutAll(text, words, aborted) ?? withoutAll(toNfc(text), words.map(toNfc), aborted) ?? text;
  // A run that was cut short between its steps ends with them.
  if (rest === "" && !answer.tool_calls?.length && !answer.refusal) return undefined;
  const said = rest === text ? answer : { ...answer, content: rest || null };
  return withoutThoughts(said, spoken);
}

/** What follows these texts, when the text is they and more, or was cut short among them; else `undefined`. */
function withoutAll(text: string, beginnings: readonly string[], aborted: boolean): string | undefined {
  let rest = text;
  for (const words of beginnings) {
    const next = withoutFirst(rest, words) ?? withoutFirst(rest.trimStart(), words);
    if (next === undefined) return aborted && words.trim().startsWith(rest.trim()) ? "" : undefined;
    rest = next;
  }
  return rest.trim() === "" ? "" : rest;
}

/** Clients trim, and where a step's words began a paragraph, an empty line stands before it. */
function withoutFirst(text: string, words: string): string | undefined {
  const found = [words, words.trimEnd(), words.trim()].find((beginning) => text.startsWith(beginning));
  return found === undefined ? undefined : text.slice(found.length).replace(/^\n\n/, "");
}

/** Of thoughts too, callers get those of all steps as one. */
function withoutThoughts(
  { reasoning_content, ...answer }: AssistantTurnMessage,
  steps: readonly AssistantTurnMessage[],
): AssistantTurnMessage {
  let rest = reasoning_content ?? "";
  for (const { reasoning_content: thought } of steps) {
    if (thought && rest.startsWith(thought)) rest = rest.slice(thought.length);
  }
  return rest === "" ? answer : { ...answer, reasoning_content: rest };
}

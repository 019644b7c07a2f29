import type { AssistantMessage } from "@openclaw/protocol";
import { copyMessage, type TurnMessage, textOf } from "../chat/turn.ts";
import type { Entry } from "./entry.ts";

/**
 * Messages with the agent's own steps among them, as the model is to see them. Pure; gives copies, because what an
 * agent does to its messages must not change what is kept.
 *
 * Callers get the words of all steps as one answer. The model hears each where it said it: what stands in the steps
 * does not come once more in the answer behind them.
 */
export function toTalk(items: readonly Pick<Entry, "message" | "hidden">[]): TurnMessage[] {
  const talk: TurnMessage[] = [];
  let steps: TurnMessage[] = [];
  for (const { message, hidden } of items) {
    if (hidden) {
      steps.push(copyMessage(message));
    } else {
      talk.push(...(message.role === "assistant" ? withSteps(steps, message) : [...steps, copyMessage(message)]));
      steps = [];
    }
  }
  return [...talk, ...steps];
}

function withSteps(steps: readonly TurnMessage[], sent: AssistantMessage): TurnMessage[] {
  const answer = copyMessage(sent);
  const said = steps.flatMap((step) => (step.role === "assistant" ? textOf(step.content).trim() : [])).filter(Boolean);
  const text = textOf(answer.content);
  const rest = said.length > 0 ? withoutAll(text, said) : text;
  // A run that was cut short between its steps ends with them.
  if (rest === "" && steps.length > 0 && !answer.tool_calls?.length) return [...steps];
  // Words that callers were not told are in no answer.
  if (rest === undefined || rest === text) return [...steps, answer];
  return [...steps, { ...answer, content: rest || null }];
}

/** What follows these texts, when the text is they and more, or ends among them; else `undefined`. */
function withoutAll(text: string, beginnings: readonly string[]): string | undefined {
  let rest = text.trim();
  for (const beginning of beginnings) {
    if (beginning.startsWith(rest)) return "";
    if (!rest.startsWith(beginning)) return undefined;
    rest = rest.slice(beginning.length).trimStart();
  }
  return rest;
}

import type { SessionMessage } from "@openclaw/client";
import type { Part, ToolUse } from "./parts.ts";

/** An answer of a session in parts: the steps on the way to it, which the session keeps hidden, and what it says. */
export function toParts(steps: readonly SessionMessage[], answer: SessionMessage): readonly Part[] {
  const parts: Part[] = [];
  let rest = textOf(answer);
  for (const step of steps) {
    // The answer has the words of all steps, one after the other: those before a tool was used belong before it.
    const said = textOf(step).trim();
    const isSaid = step.role === "assistant" && said !== "" && rest.trimStart().startsWith(said);
    const end = isSaid ? rest.indexOf(said) + said.length : 0;
    parts.push(...toWords(rest.slice(0, end)), ...toTools(step));
    rest = rest.slice(end);
  }
  const callers = toTools(answer).map((tool) => ({ ...tool, isCallers: true }));
  return withResults([...parts, ...toWords(rest), ...callers], steps);
}

/** The same parts, with what the session keeps of their tools. */
export function withResults(parts: readonly Part[], messages: readonly SessionMessage[]): readonly Part[] {
  const calls = new Map(messages.flatMap(toTools).map((call) => [call.id, call]));
  const results = new Map(messages.map((message) => [message.tool_call_id, textOf(message)]));
  return parts.map((part) => {
    if (part.kind !== "tool") return part;
    const result = results.get(part.id);
    return { ...part, ...calls.get(part.id), ...(result !== undefined && { result }) };
  });
}

export function textOf({ content }: SessionMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (part.type === "text" ? String(part.text) : "")).join("");
}

function toTools({ tool_calls = [] }: SessionMessage): ToolUse[] {
  return tool_calls.map(({ id, function: called }) => ({
    kind: "tool",
    id,
    name: called.name,
    arguments: called.arguments,
  }));
}

function toWords(text: string): Part[] {
  return text === "" ? [] : [{ kind: "words", text }];
}

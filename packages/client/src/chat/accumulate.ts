import type { ChatCompletionChunk, ToolCallDelta } from "@openclaw/protocol";
import type { PartialCompletion } from "../errors.ts";

type Choice = PartialCompletion["choices"][number];
type ToolCall = NonNullable<Choice["message"]["tool_calls"]>[number];

export interface Accumulator {
  add(chunk: ChatCompletionChunk): void;
  /** What has come, or nothing when nothing has. */
  read(): PartialCompletion | undefined;
}

/** Puts the chunks of a stream together to what the answer would have been without streaming. */
export function createAccumulator(): Accumulator {
  let head: Omit<PartialCompletion, "choices"> | undefined;
  // Maps, because the indices come from outside: one may be huge, or not a number at all.
  const choices = new Map<number, { choice: Choice; toolCalls: Map<number, ToolCall> }>();

  return {
    add({ id, created, model, usage, choices: deltas }) {
      head ??= { id, object: "chat.completion", created, model };
      if (usage) head.usage = usage;
      for (const { index, delta, finish_reason } of deltas) {
        const entry = choices.get(index) ?? { choice: emptyChoice(index), toolCalls: new Map() };
        choices.set(index, entry);
        if (finish_reason) entry.choice.finish_reason = finish_reason;
        if (!delta) continue;
        addText(entry.choice.message, delta);
        for (const piece of delta.tool_calls ?? []) addToolCall(entry.toolCalls, piece);
      }
    },
    read: () =>
      head && { ...head, choices: inOrder(choices).map(({ choice, toolCalls }) => withToolCalls(choice, toolCalls)) },
  };
}

/** A copy: what was read does not change when more comes. */
function withToolCalls(choice: Choice, toolCalls: Map<number, ToolCall>): Choice {
  const message = { ...choice.message };
  if (toolCalls.size > 0) {
    message.content ||= null;
    message.tool_calls = inOrder(toolCalls).map((call) => ({ ...call, function: { ...call.function } }));
  }
  return { ...choice, message };
}

function emptyChoice(index: number): Choice {
  return {
    index,
    message: { role: "assistant", content: null, refusal: null },
    logprobs: null,
    finish_reason: null,
  };
}

const TEXTS = ["content", "refusal", "reasoning_content", "reasoning"] as const;

function addText(message: Choice["message"], delta: ChatCompletionChunk["choices"][number]["delta"]): void {
  for (const name of TEXTS) {
    const text = delta[name];
    if (typeof text === "string") message[name] = (message[name] ?? "") + text;
  }
}

/** The first piece of a call names it, later ones carry more of its arguments. */
function addToolCall(calls: Map<number, ToolCall>, { index, id, function: piece }: ToolCallDelta): void {
  const call = calls.get(index) ?? { id: "", type: "function", function: { name: "", arguments: "" } };
  calls.set(index, call);
  if (id) call.id = id;
  if (piece?.name) call.function.name = piece.name;
  call.function.arguments += piece?.arguments ?? "";
}

function inOrder<T>(entries: Map<number, T>): T[] {
  return [...entries].sort(([a], [b]) => a - b).map(([, value]) => value);
}

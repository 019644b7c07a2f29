import type { PartialCompletion } from "../errors.ts";
import type { ChatCompletionChunk, ToolCallDelta } from "../types.ts";

type Choice = PartialCompletion["choices"][number];
type ToolCall = NonNullable<Choice["message"]["tool_calls"]>[number];
type Texts = { [Name in (typeof TEXTS)[number]]?: Text };

const TEXTS = ["content", "refusal", "reasoning_content", "reasoning"] as const;
/** Pieces. */
const JOIN_AT = 64;

/** A text that grows. */
interface Text {
  add(piece: string): void;
  read(): string;
}

interface Entry {
  /** All but its texts and tool calls. */
  choice: Choice;
  texts: Texts;
  toolCalls: Map<number, ToolCall>;
}

export interface Accumulator {
  add(chunk: ChatCompletionChunk): void;
  /** What has come, or nothing when nothing has. */
  read(): PartialCompletion | undefined;
  /** What has come of one text of one choice: cheap enough for every chunk. */
  text(index: number, name: keyof Texts): string;
}

/** Puts the chunks of a stream together to what the answer would have been without streaming. */
export function createAccumulator(): Accumulator {
  let head: Omit<PartialCompletion, "choices"> | undefined;
  // Maps, because the indices come from outside: one may be huge, or not a number at all.
  const choices = new Map<number, Entry>();

  return {
    add({ id, created, model, usage, choices: deltas }) {
      head ??= { id, object: "chat.completion", created, model };
      if (usage) head.usage = usage;
      for (const { index, delta, finish_reason } of deltas) {
        const entry = choices.get(index) ?? { choice: emptyChoice(index), texts: {}, toolCalls: new Map() };
        choices.set(index, entry);
        if (finish_reason) entry.choice.finish_reason = finish_reason;
        if (!delta) continue;
        addTexts(entry.texts, delta);
        for (const piece of delta.tool_calls ?? []) addToolCall(entry.toolCalls, piece);
      }
    },
    read: () => head && { ...head, choices: inOrder(choices).map(toChoice) },
    text: (index, name) => choices.get(index)?.texts[name]?.read() ?? "",
  };
}

/** A copy: what was read does not change when more comes. */
function toChoice({ choice, texts, toolCalls }: Entry): Choice {
  const message = { ...choice.message };
  for (const name of TEXTS) if (texts[name]) message[name] = texts[name].read();
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

function addTexts(texts: Texts, delta: ChatCompletionChunk["choices"][number]["delta"]): void {
  for (const name of TEXTS) {
    const piece = delta[name];
    if (typeof piece !== "string") continue;
    texts[name] ??= createText();
    texts[name].add(piece);
  }
}

/** Joined now and then: what engines keep of `text += piece` is many times its length, until somebody looks into it. */
function createText(): Text {
  let text = "";
  let pieces: string[] = [];
  const read = () => {
    text += pieces.join("");
    pieces = [];
    return text;
  };
  return {
    add(piece) {
      if (pieces.push(piece) === JOIN_AT) read();
    },
    read,
  };
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

import type { ChatCompletion, FinishReason, ToolCall, Usage } from "@openclaw/protocol";
import type { ModelEvent, RunEvent } from "./run-event.ts";
import type { ReasoningField } from "./to-frames.ts";

/** An answer, gathered from the events of a run. */
export interface Answer {
  text: string;
  reasoning: string;
  /** What was said in place of an answer; "" when there was no such need. */
  refusal: string;
  toolCalls: ToolCall[];
  /** The model that was asked last, where the agent says. */
  model?: ModelEvent;
}

export function createAnswer(): Answer {
  return { text: "", reasoning: "", refusal: "", toolCalls: [] };
}

/**
 * Adds one event to the answer.
 * @throws TypeError for a tool call out of turn: the first is number 0, and there must be one to add to
 */
export function gather(answer: Answer, event: RunEvent): void {
  switch (event.type) {
    case "text-delta":
      answer.text = append(answer.text, event.text);
      break;
    case "reasoning-delta":
      answer.reasoning = append(answer.reasoning, event.text);
      break;
    case "refusal-delta":
      answer.refusal = append(answer.refusal, event.text);
      break;
    case "model":
      answer.model = event;
      break;
    case "tool-call-start":
      if (event.index !== answer.toolCalls.length) throw new TypeError(`tool call ${event.index} is out of turn`);
      answer.toolCalls.push({ id: event.id, type: "function", function: { name: event.name, arguments: "" } });
      break;
    case "tool-call-delta": {
      const call = answer.toolCalls[event.index];
      if (!call) throw new TypeError(`tool call ${event.index} has not begun`);
      call.function.arguments = append(call.function.arguments, event.arguments);
      break;
    }
  }
}

/** Reads a text without a result that the compiler could find unused. */
const READ = /^/;

/**
 * `text + piece`, in memory that stays near the text's own. V8 joins nothing before somebody reads: until then a text is
 * the tree of its pieces, and a piece cut out of a provider's read keeps that whole read. So somebody reads, each time
 * 4 KiB or an eighth of the text have come.
 */
export function append(text: string, piece: string): string {
  const longer = text + piece;
  const step = Math.max(12, 28 - Math.clz32(longer.length));
  if (longer.length >> step !== text.length >> step) READ.test(longer);
  return longer;
}

export interface CompletionOptions {
  id: string;
  /** Unix time in seconds. */
  created: number;
  model: string;
  answer: Answer;
  finishReason: FinishReason;
  usage: Usage | undefined;
  reasoning: ReasoningField;
}

/**
 * The body of an answer that is not streamed. Pure.
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export function toCompletion(options: CompletionOptions): ChatCompletion {
  const { id, created, model, answer, finishReason, usage, reasoning } = options;
  const message: ChatCompletion["choices"][number]["message"] = {
    role: "assistant",
    content: contentOf(answer),
    refusal: answer.refusal || null,
  };
  if (reasoning && answer.reasoning !== "") message[reasoning] = answer.reasoning;
  if (answer.toolCalls.length > 0) message.tool_calls = answer.toolCalls;
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    ...(usage && { usage }),
    ...(answer.model !== undefined && { openclaw: { model: answer.model.model } }),
  };
}

/** What a message says of an answer: `null` where something else stands for the words. */
export function contentOf({ text, toolCalls, refusal }: Answer): string | null {
  return text === "" && (toolCalls.length > 0 || refusal !== "") ? null : text;
}

import type { Listeners } from "../listeners.ts";
import type { AgentActivity, ChatCompletion, ChatCompletionChunk, Usage } from "../types.ts";
import type { Accumulator } from "./accumulate.ts";
import type { ResumeInfo } from "./read-on.ts";

type ToolCall = NonNullable<ChatCompletion["choices"][number]["message"]["tool_calls"]>[number];

/** What a stream tells its listeners, and with what. Of its first choice, where there are several. */
export interface StreamEvents {
  /** More text, and all of it so far. */
  content: [delta: string, text: string];
  /** More of what the agent thinks, where it shows that, and all of it so far. */
  reasoning: [delta: string, text: string];
  /** A call of one of the request's tools, once, when it is whole: never, if the answer was cut off in its midst. */
  "tool-call": [call: ToolCall];
  /** What the agent does by itself; with the call's option `activity`. */
  "tool-activity": [activity: AgentActivity];
  usage: [usage: Usage];
  /** The connection broke, and the stream is about to come back: nothing is to be done, a page may want to show it. */
  resume: [info: ResumeInfo];
  /** The whole answer, before the reader knows that it is over. */
  end: [completion: ChatCompletion];
}

/**
 * Makes what tells of each chunk, once it has been added.
 * @param accumulator - Has what has come so far.
 */
export function createTeller(
  { emit, has }: Listeners<StreamEvents>,
  { read, text }: Accumulator,
): (chunk: ChatCompletionChunk) => void {
  let isFinished = false;

  return ({ choices, usage, openclaw }) => {
    const choice = choices.find(({ index }) => !index);
    const tell = (event: "reasoning" | "content", name: "reasoning" | "reasoning_content" | "content") => {
      const delta = choice?.delta?.[name];
      // Whether anybody listens first: to read a text has its price.
      if (delta && has(event)) emit(event, delta, text(choice.index, name));
      return delta;
    };
    tell("reasoning", "reasoning") || tell("reasoning", "reasoning_content");
    tell("content", "content");
    if (openclaw) emit("tool-activity", openclaw);
    const reason = choice?.finish_reason;
    // Only with its finish reason it is sure that a call is whole. There are servers that say it twice.
    if (reason && !isFinished) {
      isFinished = true;
      const isWhole = reason !== "length" && reason !== "content_filter" && has("tool-call");
      if (isWhole) for (const call of read()?.choices[0]?.message.tool_calls ?? []) emit("tool-call", call);
    }
    if (usage) emit("usage", usage);
  };
}

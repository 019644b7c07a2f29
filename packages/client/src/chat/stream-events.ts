import type { AgentActivity, ChatCompletion, ChatCompletionChunk, Usage } from "@openclaw/protocol";
import type { PartialCompletion } from "../errors.ts";
import type { Listeners } from "../listeners.ts";
import type { ResumeInfo } from "./read-on.ts";

type ToolCall = NonNullable<ChatCompletion["choices"][number]["message"]["tool_calls"]>[number];

/** What a stream tells its listeners, and with what. Of its first choice, where there are several. */
export interface StreamEvents {
  /** More text, and all of it so far. */
  content: [delta: string, text: string];
  /** More of what the agent thinks, where it shows that, and all of it so far. */
  reasoning: [delta: string, text: string];
  /** A call of one of the request's tools, whole. */
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
 * Tells what a chunk brings, once it has been added.
 * @param read - What has come so far.
 */
export function emitAll(
  { emit, has }: Listeners<StreamEvents>,
  { choices: [choice], usage, openclaw }: ChatCompletionChunk,
  read: () => PartialCompletion | undefined,
): void {
  const soFar = () => read()?.choices[0]?.message;
  const { content, reasoning_content, reasoning = reasoning_content } = choice?.delta ?? {};
  if (reasoning && has("reasoning"))
    emit("reasoning", reasoning, soFar()?.reasoning ?? soFar()?.reasoning_content ?? "");
  if (content && has("content")) emit("content", content, soFar()?.content ?? "");
  if (openclaw) emit("tool-activity", openclaw);
  // Only with its finish reason it is sure that a call is whole.
  if (choice?.finish_reason && has("tool-call")) for (const call of soFar()?.tool_calls ?? []) emit("tool-call", call);
  if (usage) emit("usage", usage);
}

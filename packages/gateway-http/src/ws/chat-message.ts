import type { ToolCall, UserPart } from "@openclaw/protocol";
import type { ChatMessage } from "@openclaw/protocol/socket";
import { type TurnMessage, textOf } from "../chat/turn.ts";
import type { Entry } from "../sessions/entry.ts";
import type { Transcript } from "../sessions/transcript.ts";
import { toArguments } from "./call-arguments.ts";
import { toUsage } from "./run-words.ts";

type Block = Exclude<ChatMessage["content"], string>[number];

/** Stands where a text was cut. */
const CUT = "\n...(truncated)...";

/** A message with its place, which those of a session always have. */
export type PlacedMessage = ChatMessage & { __openclaw: NonNullable<ChatMessage["__openclaw"]> };

/** What callers see of a talk, from its first message to this one, by default the head. */
export function visibleTo(transcript: Transcript, leaf = transcript.head?.entry.id): Entry[] {
  return transcript.path(leaf).filter(({ hidden }) => !hidden);
}

/**
 * Messages of a talk, as the socket has them.
 * @param visible all of the talk
 * @param start index of the first one wanted
 * @param end index behind the last
 */
export function toChatMessages(visible: readonly Entry[], start = 0, end = visible.length): PlacedMessage[] {
  const messages: PlacedMessage[] = [];
  // Only the last of a run is its own: what a caller sent of a talk before has its id, too.
  const later = new Set<string>();
  for (let index = visible.length - 1; index >= start; index--) {
    const entry = visible[index] as Entry;
    const { runId, message } = entry;
    const isOwn = !later.has(message.role === "assistant" ? runId : `${message.role} ${runId}`);
    later.add(runId).add(`${message.role} ${runId}`);
    if (index < end) messages.push(toChatMessage(entry, index + 1, isOwn));
  }
  return messages.reverse();
}

/** @param isOwn whether it is its run's question or answer */
function toChatMessage({ id, message, runId, at, aborted, usage }: Entry, seq: number, isOwn: boolean): PlacedMessage {
  const place = { timestamp: at, __openclaw: { id, seq, ...(isOwn && { runId }) } };
  switch (message.role) {
    case "user":
      return { role: "user", content: toContent(message), ...place, ...(isOwn && { idempotencyKey: `${runId}:user` }) };
    case "tool":
      return {
        role: "toolResult",
        content: [textBlock(textOf(message.content))],
        toolCallId: message.tool_call_id,
        ...place,
      };
    case "assistant": {
      const calls = message.tool_calls?.flatMap((call) => (call.type === "function" ? [toCallBlock(call)] : [])) ?? [];
      const text = textOf(message.content) || message.refusal || "";
      const tokens = toUsage(usage);
      return {
        role: "assistant",
        content: text === "" && calls.length > 0 ? calls : [textBlock(text), ...calls],
        stopReason: aborted ? "aborted" : calls.length > 0 ? "toolUse" : "stop",
        ...(tokens && { usage: tokens }),
        ...place,
      };
    }
  }
}

/** Pictures, sound and files without what is in them. */
function toContent({ content }: Extract<TurnMessage, { role: "user" }>): ChatMessage["content"] {
  return typeof content === "string" ? content : content.map(toBlock);
}

function toBlock(part: UserPart): Block {
  switch (part.type) {
    case "text":
      return textBlock(part.text);
    case "image_url":
      return { type: "image", ...mimeTypeOf(part.image_url.url), omitted: true };
    case "input_audio":
      return { type: "audio", mimeType: `audio/${part.input_audio.format}`, omitted: true };
    case "file": {
      const { file_data, filename } = part.file;
      return { type: "file", ...mimeTypeOf(file_data ?? ""), ...(filename && { fileName: filename }), omitted: true };
    }
  }
}

function mimeTypeOf(url: string): { mimeType?: string } {
  const [, mimeType] = /^data:([^;,]{1,255})[;,]/i.exec(url) ?? [];
  return mimeType === undefined ? {} : { mimeType };
}

function textBlock(text: string): Block {
  return { type: "text", text };
}

function toCallBlock({ id, function: { name, arguments: text } }: ToolCall): Block {
  return { type: "toolCall", id, name, arguments: toArguments(text) };
}

/** The same with at most so much text, in UTF-16 code units. */
export function withText(message: PlacedMessage, maxLength: number): PlacedMessage {
  let left = maxLength;
  const cut = (text: string): string => {
    const shown = text.length > left ? `${text.slice(0, left).toWellFormed()}${CUT}` : text;
    left = Math.max(0, left - text.length);
    return shown;
  };
  const { content } = message;
  if (typeof content === "string") return { ...message, content: cut(content) };
  return {
    ...message,
    content: content.map((block) => (typeof block.text === "string" ? { ...block, text: cut(block.text) } : block)),
  };
}

import { createHash } from "node:crypto";
import type { LanguageModelV4FilePart, LanguageModelV4Message, LanguageModelV4TextPart } from "@ai-sdk/provider";
import type { ToolCall } from "@openclaw/protocol";
import { parseJsonObject } from "../../chat/json-object.ts";
import { type AssistantTurnMessage, type TurnMessage, textOf } from "../../chat/turn.ts";
import type { ModelRequest } from "../model.ts";
import { withCarry } from "./carry.ts";

type UserContent = Extract<TurnMessage, { role: "user" }>["content"];
type UserPart = Exclude<UserContent, string>[number];
type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];
type ToolContent = Extract<LanguageModelV4Message, { role: "tool" }>["content"];

/**
 * The talk as the libraries want it.
 * @param key the library's own member in `providerOptions`
 * @param api what a message's `carry` must say for this library to understand it
 */
export function toPrompt(messages: ModelRequest["messages"], key: string, api: string): LanguageModelV4Message[] {
  const prompt: LanguageModelV4Message[] = [];
  const toolNames = new Map<string, string>();
  for (const message of messages) {
    switch (message.role) {
      case "system":
        if (!isBlank(message.content)) prompt.push({ role: "system", content: message.content });
        break;
      case "user": {
        const content = toUserParts(message.content);
        if (content.length > 0) prompt.push({ role: "user", content });
        break;
      }
      case "assistant": {
        for (const call of callsOf(message)) toolNames.set(call.id, call.function.name);
        const content = toAssistantParts(message, key, api);
        if (content.length > 0) prompt.push({ role: "assistant", content });
        break;
      }
      case "tool": {
        const toolCallId = message.tool_call_id;
        // Google knows a result by the name alone.
        const toolName = toolNames.get(toolCallId) ?? "unknown";
        const text = textOf(message.content);
        const output = { type: "text", value: isBlank(text) ? NO_RESULT : text } as const;
        const result: ToolContent[number] = { type: "tool-result", toolCallId, toolName, output };
        const last = prompt.at(-1);
        // The results of one step belong into one message.
        if (last?.role === "tool") last.content.push(result);
        else prompt.push({ role: "tool", content: [result] });
      }
    }
  }
  if (STRICT_IDS.has(key)) fitIds(prompt);
  return prompt;
}

/** Providers refuse text that says nothing. */
const isBlank = (text: string) => text.trim() === "";
const NO_RESULT = "(empty)";

/** The libraries whose providers refuse a call by its id. */
const STRICT_IDS = new Set(["anthropic", "amazonBedrock"]);

/** Ids of calls that were made elsewhere, the same for a call and its result, and the same each time. */
function fitIds(prompt: readonly LanguageModelV4Message[]): void {
  for (const { content } of prompt) {
    if (typeof content === "string") continue;
    for (const part of content) {
      if ((part.type !== "tool-call" && part.type !== "tool-result") || FITTING_ID.test(part.toolCallId)) continue;
      part.toolCallId = `call_${createHash("sha256").update(part.toolCallId).digest("hex").slice(0, 24)}`;
    }
  }
}

const FITTING_ID = /^[a-zA-Z0-9_-]{1,64}$/;

function toAssistantParts(message: AssistantTurnMessage, key: string, api: string): AssistantContent {
  const text = textOf(message.content) || (message.refusal ?? "");
  const calls: AssistantContent = callsOf(message).map(({ id, function: called }) => ({
    type: "tool-call",
    toolCallId: id,
    toolName: called.name,
    // Providers refuse a talk in which a call's arguments are no object.
    input: parseJsonObject(called.arguments) ?? {},
  }));
  const plain: AssistantContent = text === "" ? calls : [{ type: "text", text }, ...calls];
  const parts = message.carry?.api === api ? withCarry(message.carry.data, plain, key) : plain;
  return parts.filter((part) => part.type !== "text" || part.providerOptions || !isBlank(part.text));
}

/** Calls of other kinds of tools are refused at the door. */
function callsOf(message: AssistantTurnMessage): ToolCall[] {
  return (message.tool_calls ?? []).filter((call) => call.type === "function");
}

function toUserParts(content: UserContent): (LanguageModelV4TextPart | LanguageModelV4FilePart)[] {
  if (typeof content === "string") return isBlank(content) ? [] : [{ type: "text", text: content }];
  return content.flatMap((part) => toUserPart(part) ?? []);
}

function toUserPart(part: UserPart): LanguageModelV4TextPart | LanguageModelV4FilePart | undefined {
  switch (part.type) {
    case "text":
      return isBlank(part.text) ? undefined : { type: "text", text: part.text };
    case "image_url": {
      const { url, detail } = part.image_url;
      const file = toFile(url, "image/*");
      return detail ? { ...file, providerOptions: { openai: { imageDetail: detail } } } : file;
    }
    case "input_audio": {
      const { data, format } = part.input_audio;
      const mediaType = format === "mp3" ? "audio/mpeg" : `audio/${format}`;
      return { type: "file", mediaType, data: { type: "data", data } };
    }
    case "file": {
      const { file_data, filename } = part.file;
      if (!file_data) return undefined;
      return { ...toFile(file_data, "application/pdf"), ...(filename && { filename }) };
    }
    default:
      return undefined;
  }
}

/** @param otherwise the media type of an address, which does not say it */
function toFile(url: string, otherwise: string): LanguageModelV4FilePart {
  const [, mediaType, data] = /^data:([^;,]+)(?:;[^,]*)?,(.*)$/s.exec(url) ?? [];
  if (mediaType && data !== undefined) return { type: "file", mediaType, data: { type: "data", data } };
  if (URL.canParse(url)) return { type: "file", mediaType: otherwise, data: { type: "url", url: new URL(url) } };
  return { type: "file", mediaType: otherwise, data: { type: "data", data: url } };
}

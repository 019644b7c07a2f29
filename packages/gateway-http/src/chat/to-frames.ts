import { SSE_DONE_FRAME } from "@openclaw/protocol";
import type { RunEvent } from "./run-event.ts";

/** The member of a delta that carries an agent's reasoning, or `false` to keep it in. */
export type ReasoningField = "reasoning_content" | "reasoning" | false;

export interface FrameOptions {
  /** The completion's id. */
  id: string;
  /** Unix time in seconds. */
  created: number;
  /** As the caller wrote it. */
  model: string;
  /** `stream_options.include_usage`. */
  includeUsage: boolean;
  reasoning: ReasoningField;
  /** `x-openclaw-events: 1`. */
  activity: boolean;
}

/**
 * Makes the function that maps each event of a run to the frames of a streamed answer, "" where nothing is said. What
 * is the same on every chunk is written once, because this runs once for every token.
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 */
export function createFrameEncoder(options: FrameOptions): (event: RunEvent) => string {
  const { id, created, model, includeUsage, reasoning, activity } = options;
  const head = `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)}`;
  const open = `${head},"choices":[{"index":0,"delta":`;
  const usageNull = includeUsage ? `,"usage":null` : "";
  const close = `,"finish_reason":null}]${usageNull}}\n\n`;
  const openContent = `${open}{"content":`;
  const closeContent = `}${close}`;
  const openActivity = `${open}{},"finish_reason":null}]${usageNull},"openclaw":`;

  return (event) => {
    switch (event.type) {
      case "text-delta":
        return openContent + JSON.stringify(event.text) + closeContent;
      case "reasoning-delta":
        return reasoning ? `${open}{"${reasoning}":${JSON.stringify(event.text)}}${close}` : "";
      case "refusal-delta":
        return `${open}{"refusal":${JSON.stringify(event.text)}}${close}`;
      case "tool-call-start":
        return `${open}${JSON.stringify({
          tool_calls: [
            { index: event.index, id: event.id, type: "function", function: { name: event.name, arguments: "" } },
          ],
        })}${close}`;
      case "tool-call-delta":
        return `${open}${JSON.stringify({
          tool_calls: [{ index: event.index, function: { arguments: event.arguments } }],
        })}${close}`;
      case "tool-start":
        return activity
          ? `${openActivity + JSON.stringify({ type: event.type, id: event.id, name: event.name })}}\n\n`
          : "";
      case "tool-end":
        return activity
          ? `${openActivity + JSON.stringify({ type: event.type, id: event.id, ok: event.ok })}}\n\n`
          : "";
      case "model":
        return activity ? `${openActivity + JSON.stringify({ type: event.type, model: event.model })}}\n\n` : "";
      case "usage":
      case "step":
        return "";
      case "run-start":
        return `${open}{"role":"assistant","content":""}${close}`;
      case "run-end": {
        const finish = `${open}{},"finish_reason":"${event.finishReason}"}]${usageNull}}\n\n`;
        // Unknown usage is left out, never zeros; the chunk itself is owed only when there is something to say.
        const usage =
          includeUsage && event.usage ? `${head},"choices":[],"usage":${JSON.stringify(event.usage)}}\n\n` : "";
        return finish + usage + SSE_DONE_FRAME;
      }
      case "run-error":
        return `data: ${JSON.stringify(event.error.toBody())}\n\n${SSE_DONE_FRAME}`;
    }
  };
}

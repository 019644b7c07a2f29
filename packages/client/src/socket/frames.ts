import type { SocketErrorBody } from "@openclaw/protocol/socket";

/** What a gateway sends, as far as it makes sense. */
type Frame =
  | { type: "event"; event: string; payload: object; seq: number | undefined }
  | { type: "res"; id: string; payload: unknown; error: SocketErrorBody | undefined };

/** Reads a frame. What is none is nothing, and not an error: the next one may be all right. */
export function parseFrame(data: unknown): Frame | undefined {
  let frame: Record<string, unknown>;
  try {
    frame = Object(JSON.parse(data as string));
  } catch {
    return undefined;
  }
  const { type, event, id, ok, payload, seq } = frame;
  if (type === "event" && typeof event === "string") {
    return { type, event, payload: Object(payload), seq: Number.isInteger(seq) ? (seq as number) : undefined };
  }
  if (type !== "res" || typeof id !== "string") return undefined;
  if (ok === true) return { type, id, payload, error: undefined };
  const error = Object(frame.error) as SocketErrorBody;
  return typeof error.code === "string" && typeof error.message === "string" ? { type, id, payload, error } : undefined;
}

/**
 * All text of a message, without what else it holds: calls, pictures.
 *
 * @param message - A {@link ChatMessage}; of anything else there is no text.
 */
export function textOf(message: unknown): string {
  const { content } = Object(message);
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block) => (typeof block?.text === "string" && block.type === "text" ? block.text : "")).join("");
}

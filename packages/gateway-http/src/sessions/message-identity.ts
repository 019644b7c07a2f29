import { createHash } from "node:crypto";
import { type TurnMessage, textOf } from "../chat/turn.ts";

/**
 * Whether two messages are the same one, told twice: same role, same text (NFC, trimmed, parts joined), same pictures
 * and files (by the bytes' SHA-256), same tool calls by id. Clients rewrite how a message is said, not what.
 */
export function isSameMessage(one: TurnMessage, other: TurnMessage): boolean {
  if (one === other) return true;
  if (one.role !== other.role) return false;
  if (idsOf(one) !== idsOf(other)) return false;
  if (typeof one.content === "string" && one.content === other.content) return true;
  return normalizedText(one) === normalizedText(other) && mediaOf(one) === mediaOf(other);
}

/** Whether `sent` is what `kept` begins with. */
export function isStartOf(sent: TurnMessage, kept: TurnMessage): boolean {
  return (
    sent.role === kept.role && idsOf(sent) === idsOf(kept) && normalizedText(kept).startsWith(normalizedText(sent))
  );
}

/** Made once for each message: a talk may be compared with every message of its session. */
const normalized = new WeakMap<TurnMessage, string>();

/** Its text as it is compared. */
export function normalizedText(message: TurnMessage): string {
  let text = normalized.get(message);
  if (text === undefined) {
    text = toNfc(textOf(message.content)).trim();
    normalized.set(message, text);
  }
  return text;
}

/** More combining marks in a row than any writing has; Unicode's Stream-Safe Text Format (UAX #15) allows 30. */
const ENDLESS_MARKS = /\p{M}{31}/u;

/** Marks without end are left as they are: to order them takes time that grows with the square of their number. */
export function toNfc(text: string): string {
  return ENDLESS_MARKS.test(text) ? text : text.normalize("NFC");
}

/** The ids that tell tool calls and their results apart; the same text for the same ids. */
function idsOf(message: TurnMessage): string {
  if (message.role === "tool") return message.tool_call_id;
  if (message.role !== "assistant" || !message.tool_calls?.length) return "";
  return JSON.stringify(message.tool_calls.map(({ id }) => id));
}

/** Made once for each message, too: one may hold 20 MiB of pictures. */
const media = new WeakMap<TurnMessage, string>();

/** Everything in a message that is not text, as digests. */
function mediaOf(message: TurnMessage): string {
  if (!Array.isArray(message.content)) return "";
  let digests = media.get(message);
  if (digests === undefined) {
    digests = digestsOf(message.content);
    media.set(message, digests);
  }
  return digests;
}

function digestsOf(content: Exclude<TurnMessage["content"], string | null | undefined>): string {
  const digests: string[] = [];
  for (const part of content) {
    if (part.type === "image_url") digests.push(digestOf(part.image_url.url));
    else if (part.type === "input_audio") digests.push(digestOf(part.input_audio.data));
    else if (part.type === "file") digests.push(digestOf(part.file.file_data ?? part.file.file_id ?? ""));
  }
  return digests.join(" ");
}

/** Of the bytes of a `data:` URL, so that two ways to write them are one; of anything else as it is. */
function digestOf(source: string): string {
  const data = /^data:[^,]*;base64,/i.exec(source);
  const bytes = data ? Buffer.from(source.slice(data[0].length), "base64") : source;
  return createHash("sha256").update(bytes).digest("base64");
}

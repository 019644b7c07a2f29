import type { Message, UserMessage, UserPart } from "@openclaw/protocol";
import { type Modality, modalityOf } from "../chat/modality.ts";
import type { ImageSettings } from "../config/schema-images.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { checkTogether } from "./check-image.ts";
import { refuseMedia } from "./refuse-media.ts";
import { checkRemoteUrl } from "./remote-url.ts";
import { takeInAudio, takeInFile, takeInImage } from "./take-in-part.ts";

/** Most URLs that are fetched for one request. */
const MAX_REMOTE = 32;

/** Who is to take it in. */
export interface Receiver {
  readonly id: string;
  readonly input: readonly Modality[];
}

/** Where an image stands that has to be fetched. */
export interface RemoteImage {
  readonly url: string;
  readonly message: number;
  readonly param: string;
}

/** A request's messages, in which everything that is not text was checked. */
export interface TakenIn {
  readonly messages: readonly Message[];
  /** Those images are still URLs. */
  readonly remote: readonly RemoteImage[];
}

/**
 * Checks what is in messages beside text, and writes it as providers want it. Fetches nothing. Pure.
 * @throws GatewayError 400 that names the part
 */
export function takeIn(messages: readonly Message[], receiver: Receiver, images: ImageSettings): TakenIn {
  const remote: RemoteImage[] = [];
  const last = messages.findLastIndex(({ role }) => role === "user");
  const taken = messages.map((message, index) => {
    if (message.role !== "user" || typeof message.content === "string") return message;
    const place = `messages[${index}].content`;
    if (index === last) checkTogether(message.content, place);
    const content = message.content.map((part, position) => {
      const param = `${place}[${position}]`;
      refuseModality(part, param, `the agent ${JSON.stringify(receiver.id)}`, receiver.input);
      if (part.type !== "image_url" || /^data:/i.test(part.image_url.url)) return takeInPart(part, param, images);
      const at = `${param}.image_url.url`;
      const { href } = checkRemoteUrl(part.image_url.url, at, { images });
      remote.push({ url: href, message: index, param: at });
      return withImageUrl(part, href);
    });
    return { ...message, content } satisfies UserMessage;
  });
  const extra = remote.length > MAX_REMOTE ? remote[indexOfDistinct(remote, MAX_REMOTE)] : undefined;
  if (extra) refuseMedia(extra.param, `more than ${MAX_REMOTE} URLs are not fetched`);
  return { messages: taken, remote };
}

function takeInPart(part: UserPart, param: string, images: ImageSettings): UserPart {
  switch (part.type) {
    case "text":
      return part;
    case "image_url":
      return withImageUrl(part, takeInImage(part.image_url.url, `${param}.image_url.url`, images));
    case "input_audio":
      return takeInAudio(part, `${param}.input_audio`);
    case "file":
      return takeInFile(part, `${param}.file`);
  }
}

/** The same image elsewhere. `null` means absent; providers are stricter than OpenAI about it. */
export function withImageUrl(
  { image_url: { detail } }: Extract<UserPart, { type: "image_url" }>,
  url: string,
): UserPart {
  return { type: "image_url", image_url: { url, ...(detail != null && { detail }) } };
}

/**
 * @param at where the part stands
 * @param who is to take it in, in words
 * @param input what that takes
 * @throws GatewayError 400 `unsupported_parameter` that names the part
 */
export function refuseModality(part: UserPart, at: string, who: string, input: readonly Modality[]): void {
  const modality = modalityOf(part);
  if (input.includes(modality)) return;
  const param = `${at}.type`;
  const message = `${param}: ${who} takes in no ${modality}, only ${input.join(", ")}.`;
  throw new GatewayError("unsupported_parameter", message, { param });
}

/** Where the list has had `count` different URLs and has another one. */
function indexOfDistinct(remote: readonly RemoteImage[], count: number): number {
  const seen = new Set<string>();
  return remote.findIndex(({ url }) => seen.add(url).size > count);
}

import type { Message, UserMessage } from "@openclaw/protocol";
import { GatewayError } from "../errors/gateway-error.ts";
import { toDataUrl } from "./base64.ts";
import { checkTogether } from "./check-image.ts";
import { type FetchImageOptions, fetchImage } from "./fetch-image.ts";
import { inMiB, refuseMedia } from "./refuse-media.ts";
import { type RemoteImage, type TakenIn, withImageUrl } from "./take-in.ts";

/** Fetched at the same time. */
const WORKERS = 4;
/**
 * Bytes that all of a request's images from URLs may have: what fits into a body that holds them itself. Each place
 * counts, because each will be written out: one URL named a thousand times is a prompt of gigabytes.
 */
const MAX_FETCHED = 24 * 1024 * 1024;

/**
 * Puts images in the place of their URLs, so that no provider fetches anything and a session keeps what was seen.
 * @returns the messages, in which everything is inline
 * @throws GatewayError 400 for an image that cannot be had; the signal's reason
 */
export async function inlineRemote(
  { messages, remote }: TakenIn,
  { signal, ...options }: Omit<FetchImageOptions, "param">,
): Promise<Message[]> {
  const { timeoutMs } = options.images;
  const stop = new AbortController();
  const param = remote[0]?.param ?? "messages";
  const late = new GatewayError("invalid_value", `${param}: fetching images took longer than ${timeoutMs} ms.`, {
    param,
  });
  const timer = setTimeout(() => stop.abort(late), timeoutMs).unref();
  const leave = () => stop.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    if (signal.aborted) leave();
    return putInline(messages, remote, await fetchAll(remote, { ...options, signal: stop.signal }));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
    // One that failed is enough: the others need not go on.
    stop.abort();
  }
}

/** Each URL once. */
async function fetchAll(
  remote: readonly RemoteImage[],
  options: Omit<FetchImageOptions, "param">,
): Promise<ReadonlyMap<string, string>> {
  const places = Map.groupBy(remote, ({ url }) => url);
  const found = new Map<string, string>();
  const queue = places.entries();
  let fetched = 0;
  const work = async () => {
    for (const [url, { 0: first, length }] of queue) {
      const param = first?.param ?? "messages";
      const { type, bytes } = await fetchImage(url, { ...options, param });
      fetched += bytes.length * length;
      if (fetched > MAX_FETCHED) refuseMedia(param, `images from URLs are larger than ${inMiB(MAX_FETCHED)} together`);
      found.set(url, toDataUrl({ type, base64: bytes.toString("base64") }));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return found;
}

function putInline(
  messages: readonly Message[],
  remote: readonly RemoteImage[],
  found: ReadonlyMap<string, string>,
): Message[] {
  const places = new Set(remote.map(({ message }) => message));
  const last = messages.findLastIndex(({ role }) => role === "user");
  return messages.map((message, index) => {
    if (!places.has(index) || message.role !== "user" || typeof message.content === "string") return message;
    const content = message.content.map((part) => {
      const url = part.type === "image_url" ? found.get(part.image_url.url) : undefined;
      return url !== undefined && part.type === "image_url" ? withImageUrl(part, url) : part;
    });
    if (index === last) checkTogether(content, `messages[${index}].content`);
    return { ...message, content } satisfies UserMessage;
  });
}

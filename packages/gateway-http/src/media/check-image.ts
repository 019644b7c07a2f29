import type { UserPart } from "@openclaw/protocol";
import { type ImageSettings, MAX_IMAGE_BYTES } from "../config/schema-images.ts";
import { decodedSize } from "./base64.ts";
import { imageTypeOf } from "./file-type.ts";
import { inMiB, refuseMedia } from "./refuse-media.ts";

/** Most images in the last user message. */
const MAX_IMAGES = 8;

/**
 * What the images of the last user message may be together. Those that are still URLs count, and weigh nothing.
 * @throws GatewayError 400
 */
export function checkTogether(content: readonly UserPart[], param: string): void {
  const urls = content.flatMap((part) => (part.type === "image_url" ? [part.image_url.url] : []));
  if (urls.length > MAX_IMAGES) refuseMedia(param, `has more than ${MAX_IMAGES} images`);
  const size = urls.reduce((sum, url) => sum + sizeOf(url), 0);
  if (size > MAX_IMAGE_BYTES) refuseMedia(param, `its images are larger than ${inMiB(MAX_IMAGE_BYTES)} together`);
}

function sizeOf(url: string): number {
  return /^data:/i.test(url) ? decodedSize(url.slice(url.indexOf(",") + 1)) : 0;
}

/**
 * The type of an image that may be taken in.
 * @param bytes at least the first 16
 * @throws GatewayError 400
 */
export function checkType(bytes: Buffer, param: string, { allowedMimes }: Pick<ImageSettings, "allowedMimes">): string {
  const type = imageTypeOf(bytes);
  if (type === undefined) refuseMedia(param, `is no image of a type that is known here (${allowedMimes.join(", ")})`);
  if (!allowedMimes.includes(type)) refuseMedia(param, `is ${type}; taken in are ${allowedMimes.join(", ")}`);
  return type;
}

/** @throws GatewayError 400 */
export function checkSize(size: number, param: string, limit: number): void {
  if (size > limit) refuseMedia(param, `is larger than ${inMiB(limit)}`);
}

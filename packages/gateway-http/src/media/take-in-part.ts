import type { UserPart } from "@openclaw/protocol";
import type { ImageSettings } from "../config/schema-images.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { decodedSize, firstBytes, isBase64, parseDataUrl, toDataUrl } from "./base64.ts";
import { checkSize, checkType } from "./check-image.ts";
import { AUDIO_FORMATS, isAudio, isPdf, isText } from "./file-type.ts";
import { refuseMedia } from "./refuse-media.ts";

type Part<Type extends UserPart["type"]> = Extract<UserPart, { type: Type }>;

/** Bytes of a file or of sound, after decoding. */
const MAX_BYTES = 20 * 1024 * 1024;

/**
 * A `data:` URL whose type is what its bytes are. One that is as it should be stays as it is.
 * @throws GatewayError 400
 */
export function takeInImage(url: string, param: string, images: ImageSettings): string {
  const data = parseDataUrl(url);
  if (!data) refuseMedia(param, "a data: URL must be in base64");
  const { base64 } = data;
  checkBase64(base64, param, images.maxBytes);
  const type = checkType(firstBytes(base64), param, images);
  return url.startsWith(`data:${type};base64,`) ? url : toDataUrl({ type, base64 });
}

/** @throws GatewayError 400 */
export function takeInAudio(part: Part<"input_audio">, param: string): UserPart {
  const { data, format } = part.input_audio;
  if (!AUDIO_FORMATS.includes(format)) refuseMedia(`${param}.format`, `must be one of ${AUDIO_FORMATS.join(", ")}`);
  checkBase64(data, `${param}.data`, MAX_BYTES);
  if (!isAudio(firstBytes(data), format)) refuseMedia(`${param}.data`, `is no ${format}`);
  return part;
}

/** @throws GatewayError 400 */
export function takeInFile({ file: { file_id, file_data, filename } }: Part<"file">, at: string): UserPart {
  if (file_id != null) {
    const param = `${at}.file_id`;
    throw new GatewayError(
      "unsupported_parameter",
      `${param}: not supported (no files are kept here; use file_data).`,
      {
        param,
      },
    );
  }
  const param = `${at}.file_data`;
  const data = file_data == null ? undefined : parseDataUrl(file_data);
  if (!data || file_data == null) refuseMedia(param, "must be a data: URL in base64");
  const { type, base64 } = data;
  checkBase64(base64, param, MAX_BYTES);
  const bytes = firstBytes(base64);
  const pdf = "application/pdf";
  const isKnown = isPdf(bytes) ? type === pdf : type.startsWith("text/") && isText(bytes);
  if (!isKnown && !isPdf(bytes)) refuseMedia(param, `must be ${pdf} or text/*, and be what it says it is`);
  const url = isKnown ? file_data : toDataUrl({ type: pdf, base64 });
  return { type: "file", file: { file_data: url, ...(filename != null && { filename }) } };
}

function checkBase64(base64: string, param: string, limit: number): void {
  // By its length first: what is too large need not be read.
  checkSize(decodedSize(base64), param, limit);
  if (!isBase64(base64)) refuseMedia(param, "is not base64");
}

import type { ImageType } from "../config/schema-images.ts";

/**
 * The type of an image by its first bytes, whatever its name or its sender says; `undefined` for anything else.
 * @param bytes at least the first 16
 */
export function imageTypeOf(bytes: Buffer): ImageType | undefined {
  if (startsWith(bytes, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (startsWith(bytes, "\xff\xd8\xff")) return "image/jpeg";
  if (startsWith(bytes, "GIF87a") || startsWith(bytes, "GIF89a")) return "image/gif";
  if (startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8)) return "image/webp";
  if (startsWith(bytes, "II*\0") || startsWith(bytes, "MM\0*")) return "image/tiff";
  if (startsWith(bytes, "ftyp", 4)) return BRANDS.get(bytes.toString("latin1", 8, 12));
  if (startsWith(bytes, "BM") && bytes.length > 14 && bytes.readUInt32LE(6) === 0) return "image/bmp";
  return undefined;
}

/** ISO base media files say what they are by their major brand. */
const BRANDS: ReadonlyMap<string, ImageType> = new Map([
  ["avif", "image/avif"],
  ["avis", "image/avif"],
  ["heic", "image/heic"],
  ["heix", "image/heic"],
  ["hevc", "image/heic"],
  ["hevx", "image/heic"],
  ["mif1", "image/heif"],
  ["msf1", "image/heif"],
]);

/** The formats of sound that OpenAI lists. */
export const AUDIO_FORMATS: readonly string[] = ["wav", "mp3"];

/** Whether sound may be of this format: an MP3 begins with a tag or a frame. */
export function isAudio(bytes: Buffer, format: string): boolean {
  if (format === "wav") return startsWith(bytes, "RIFF") && startsWith(bytes, "WAVE", 8);
  if (startsWith(bytes, "ID3")) return true;
  // Eleven bits of synchronization, a version that is not reserved, layer III.
  return bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe6) === 0xe2 && ((bytes[1] ?? 0) & 0x18) !== 0x08;
}

export function isPdf(bytes: Buffer): boolean {
  return startsWith(bytes, "%PDF-");
}

/** Whether these bytes may be text. No text has a NUL, and few other files do without. */
export function isText(bytes: Buffer): boolean {
  return !bytes.includes(0);
}

/** @param magic each character is a byte */
function startsWith(bytes: Buffer, magic: string, at = 0): boolean {
  return bytes.toString("latin1", at, at + magic.length) === magic;
}

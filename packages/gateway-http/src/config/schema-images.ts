import { z } from "zod";
import { isHostName } from "./network.ts";
import { timerMs } from "./schema-values.ts";

/** The types of images that can be told by their bytes. */
const IMAGE_TYPES = [
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "image/bmp",
  "image/heic",
  "image/heif",
  "image/tiff",
] as const;

export type ImageType = (typeof IMAGE_TYPES)[number];

/** What all models with eyes take. */
const DEFAULT_TYPES: readonly ImageType[] = IMAGE_TYPES.slice(0, 4);

/** Bytes that the images of the last user message may have together, after decoding. */
export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;

const hostPattern = z
  .string()
  .trim()
  .toLowerCase()
  .refine(
    (text) => isHostName(text.replace(/^\*\./, "")),
    "must be a host name such as example.com, or *.example.com for all below it",
  );

/** Which images are taken in, and whether they may be fetched. */
export const imagesSchema = z
  .strictObject({
    /** Whether the gateway fetches `http:` and `https:` URLs of images. Never private addresses. */
    allowUrl: z.boolean().default(false),
    /** Hosts to fetch from. Empty: any that is public. */
    urlAllowlist: z.array(hostPattern).default([]),
    allowedMimes: z
      .array(z.enum(IMAGE_TYPES))
      .min(1)
      .default([...DEFAULT_TYPES]),
    /** Of one image, after decoding. */
    maxBytes: z
      .int()
      .min(1)
      .max(MAX_IMAGE_BYTES)
      .default(10 * 1024 * 1024),
    maxRedirects: z.int().min(0).max(20).default(3),
    /** For all the fetching of one request. */
    timeoutMs: timerMs.default(10_000),
  })
  .prefault({});

export type ImageSettings = z.output<typeof imagesSchema>;

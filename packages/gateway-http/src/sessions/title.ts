import { z } from "zod";

const MAX_LENGTH = 200;

/** A session's title: one line, at most 200 UTF-16 code units after trimming. */
export const titleSchema = z
  .string()
  .trim()
  .max(MAX_LENGTH, `must be at most ${MAX_LENGTH} characters`)
  // Half a surrogate pair, too: it could not be sent back.
  .refine((title) => !/\p{Cc}|\p{Cs}/u.test(title), "must be one line of characters");

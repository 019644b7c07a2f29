import { z } from "zod";
import { MAX_TIMER_MS } from "./duration.ts";

export const NOT_SUPPORTED = "not supported by this version";

/** A timer's delay in whole milliseconds, at least 1. */
export const timerMs = z.int().min(1).max(MAX_TIMER_MS);

/** Like {@link timerMs}, with 0 for no delay at all. */
export const delayMs = z.int().min(0).max(MAX_TIMER_MS);

/** A timer's delay in seconds; fractions are fine. */
export const timerSeconds = z
  .number()
  .positive()
  .max(Math.floor(MAX_TIMER_MS / 1000));

/**
 * A token, password or key. Trimmed, because a header's value arrives trimmed and could never match otherwise; for the
 * same reason control characters are refused.
 */
export const secretText = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .regex(/^\P{Cc}*$/u, "must not contain control characters");

/** One of `served`; a value that only other versions or OpenClaw itself know gets told so. */
export function oneOf<const T extends readonly [string, ...string[]]>(served: T, unsupported: readonly string[]) {
  return z.enum(served, {
    error: ({ input }) =>
      typeof input === "string" && unsupported.includes(input) ? `"${input}" is ${NOT_SUPPORTED}` : undefined,
  });
}

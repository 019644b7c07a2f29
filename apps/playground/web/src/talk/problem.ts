import { isOpenClawError } from "@openclaw/client";
import type { WatchedSession } from "@openclaw/client/socket";
import { ADVICE, type Advice, CONNECTION_ADVICE } from "./advice.ts";

/** An error as the page shows it. */
export interface Problem extends Advice {
  /** The gateway's own words, where they say more than the title. */
  readonly detail?: string;
  readonly code?: string;
  readonly status?: number;
  readonly requestId?: string;
  /** Whether another token is what it takes. */
  readonly wantsToken: boolean;
}

export function toProblem(error: unknown): Problem {
  if (isOpenClawError(error, "APIError")) {
    const { code, status, requestId, message, retryAfter } = error;
    const known = ADVICE[code ?? ""] ?? { title: `The gateway answered ${status}`, advice: "" };
    const wait = retryAfter === undefined ? "" : ` Wait ${Math.ceil(retryAfter)} s.`;
    return {
      title: known.title,
      advice: (known.advice + wait).trim(),
      detail: message,
      ...(code !== null && { code }),
      status,
      ...(requestId !== null && { requestId }),
      wantsToken: status === 401 || code === "too_many_failed_attempts",
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const known = isOpenClawError(error) ? CONNECTION_ADVICE[error.name] : undefined;
  if (known !== undefined) return { ...known, detail: message, wantsToken: false };
  // What the client refuses to send at all: of all this page gives it, only the token is typed by a person.
  if (isOpenClawError(error)) return { title: "This cannot be a token", advice: message, wantsToken: true };
  return { title: "This did not work", advice: message, wantsToken: false };
}

/** Of an answer that was asked for elsewhere. Whoever asked knows more. */
export function toForeignProblem({ message }: NonNullable<WatchedSession["failure"]>): Problem {
  return { title: "This answer failed", advice: "", detail: message, wantsToken: false };
}

/** Of one that ended while the page was not connected, of which the session keeps nothing. */
export const UNKNOWN_END: Problem = {
  title: "How this answer ended is not known",
  advice: "The gateway keeps nothing of it; it may have been started anew. Send again.",
  wantsToken: false,
};

/** The run that a request led to before it failed, as far as the gateway said. */
export function runOf(error: unknown): string | null {
  const headers = isOpenClawError(error, "APIError") ? error.headers : undefined;
  return headers?.get("x-openclaw-run-id") ?? null;
}

/** Whether somebody else stopped the run, or took its place. */
export function isStoppedElsewhere(error: unknown): boolean {
  return isOpenClawError(error, "APIError") && error.code === "run_aborted";
}

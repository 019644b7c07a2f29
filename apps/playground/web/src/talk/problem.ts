import { isOpenClawError } from "@openclaw/client";
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

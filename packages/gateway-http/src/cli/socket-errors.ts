import type { ResponseFrame } from "@openclaw/protocol/socket";
import { toPrintable } from "./ask-gateway.ts";

/** The gateway refused, in its own words. */
export class RefusedError extends Error {
  /** `details.code`, where it says one. */
  readonly code: string | undefined;
  /** What it answered besides. */
  readonly payload: unknown;

  constructor({ error, payload }: ResponseFrame) {
    super(toPrintable(error?.message ?? "The gateway refused, and does not say why."));
    const { code } = (error?.details ?? {}) as { code?: unknown };
    this.code = typeof code === "string" ? code : undefined;
    this.payload = payload;
  }
}

/** The connection ended before the answer came. */
export class ConnectionLostError extends Error {}

/** Whoever is there answered something else than what was asked. */
export class NotUnderstoodError extends Error {}

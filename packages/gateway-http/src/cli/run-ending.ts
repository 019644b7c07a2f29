import { isErrorCode, type Usage } from "@openclaw/protocol";
import type { SocketResult } from "@openclaw/protocol/socket";
import { GatewayError } from "../errors/gateway-error.ts";
import { toPrintable } from "./ask-gateway.ts";
import { RefusedError } from "./socket-errors.ts";

/** How a run in a gateway ended. */
export interface Ending {
  /** All that was said, where the gateway tells it at the end. */
  text?: string;
  usage: Usage | undefined;
  error: GatewayError | undefined;
}

/** Reads the last answer to `agent`. */
export function toEnding(end: SocketResult<"agent">): Ending {
  switch (end.status) {
    case "ok": {
      const { payloads, meta } = end.result;
      const text = payloads.map((payload) => payload.text).join("");
      return { text, usage: toUsage(meta.agentMeta.usage), error: undefined };
    }
    case "timeout":
      if (end.stopReason === undefined)
        return failed("run_timeout", toPrintable(end.error ?? "The run took too long."));
      return failed("run_aborted", "The run was aborted.");
    default:
      return failed("internal_error", "The run failed.");
  }
}

/** Reads what a failed run is answered with; `undefined` when it is another error. */
export function toFailure(error: unknown): Ending | undefined {
  if (!(error instanceof RefusedError)) return undefined;
  const { code, message, payload } = error;
  if ((payload as { status?: unknown } | undefined)?.status !== "error") return undefined;
  return failed(isErrorCode(code) ? code : "internal_error", message);
}

function failed(code: GatewayError["code"], message: string): Ending {
  return { usage: undefined, error: new GatewayError(code, message) };
}

function toUsage(usage: { input: number; output: number; total: number } | undefined): Usage | undefined {
  return usage && { prompt_tokens: usage.input, completion_tokens: usage.output, total_tokens: usage.total };
}

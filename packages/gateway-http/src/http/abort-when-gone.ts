import type { ServerResponse } from "node:http";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Run } from "../runs/run.ts";

/**
 * Ends a run when its caller goes away. The response's `close` tells, which also comes after a proper end; the
 * request's fires as soon as its body was read.
 */
export function abortWhenGone(raw: ServerResponse, run: Run): void {
  raw.once("close", () => {
    if (!run.ended) run.abort(new GatewayError("run_aborted", "The client closed the connection."));
  });
}

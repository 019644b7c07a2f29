import { GatewayError } from "../errors/gateway-error.ts";

/** Ends a run whose caller is not there any more. Nobody reads this but the log. */
export function clientGone(): GatewayError {
  return new GatewayError("run_aborted", "The client closed the connection.");
}

import { GatewayError } from "./gateway-error.ts";

/** The one mapping from anything thrown to what a caller sees: our own errors as they are, the rest without detail. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError("internal_error", "The gateway failed to handle this request.", { cause: error });
}

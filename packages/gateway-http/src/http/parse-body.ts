import type { z } from "zod";
import { toValidationError } from "../chat/validation-error.ts";
import { GatewayError } from "../errors/gateway-error.ts";

/**
 * Checks a body that was parsed; members that the schema does not have are ignored.
 * @throws GatewayError 400 that names the parameter
 */
export function parseBody<T extends z.ZodObject>(schema: T, body: unknown): z.output<T> {
  if (body === undefined) throw new GatewayError("invalid_json", "The body is empty.");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new GatewayError("invalid_type", "The body must be a JSON object.");
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw toValidationError(parsed.error);
  return parsed.data;
}

import { GatewayError } from "../errors/gateway-error.ts";

/**
 * @param reason what is wrong, as the end of a sentence. Nothing in it may tell of the gateway's own network
 * @throws GatewayError 400
 */
export function refuseMedia(param: string, reason: string, cause?: unknown): never {
  throw new GatewayError("invalid_value", `${param}: ${reason}.`, { param, cause });
}

/** A number of bytes, as people write it. */
export function inMiB(bytes: number): string {
  const size = bytes / 1024 / 1024;
  return bytes < 1024 * 1024 ? `${bytes} bytes` : `${Number(size.toFixed(2))} MiB`;
}

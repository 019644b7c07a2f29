import { GatewayError } from "../errors/gateway-error.ts";
import type { PostResponse } from "./post.ts";

/** Most bytes read of a provider's error. */
const MAX_ERROR_BYTES = 64 * 1024;
/** Most bytes read of an answer that is not streamed. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The beginning of a provider's error, as text. */
export async function readStart({ read }: Pick<PostResponse, "read">): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let piece = await read(); piece !== undefined; piece = await read()) {
    pieces.push(piece);
    size += piece.length;
    if (size > MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(pieces).toString("utf8", 0, Math.min(size, MAX_ERROR_BYTES));
}

/**
 * A whole answer, as text.
 * @throws GatewayError when it is larger than any answer
 */
export async function readWhole({ read }: Pick<PostResponse, "read">): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let piece = await read(); piece !== undefined; piece = await read()) {
    pieces.push(piece);
    size += piece.length;
    if (size > MAX_ANSWER_BYTES) {
      throw new GatewayError(
        "provider_bad_response",
        `The provider's answer is larger than ${MAX_ANSWER_BYTES} bytes.`,
      );
    }
  }
  return Buffer.concat(pieces).toString("utf8");
}

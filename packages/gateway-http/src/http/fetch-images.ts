import type { ServerResponse } from "node:http";
import { toTurn } from "../chat/to-turn.ts";
import type { ImageSettings } from "../config/schema-images.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import { inlineRemote } from "../media/inline-remote.ts";
import type { TakenIn } from "../media/take-in.ts";
import type { Asked } from "./asked.ts";

export interface FetchImagesOptions {
  images: ImageSettings;
  /** There may be an answer already, which needs no image. */
  isKeyed: boolean;
}

/**
 * What was asked, its images fetched. Nothing runs yet: a caller who leaves ends the fetching and is asked for no more.
 * @throws GatewayError 400 for an image that cannot be had
 */
export async function fetchImages(
  raw: ServerResponse,
  asked: Asked,
  taken: TakenIn,
  { images, isKeyed }: FetchImagesOptions,
): Promise<Asked> {
  const gone = new AbortController();
  const leave = () => gone.abort(new GatewayError("run_aborted", "The client closed the connection."));
  raw.once("close", leave);
  try {
    if (raw.destroyed) leave();
    const messages = await inlineRemote(taken, { images, signal: gone.signal });
    gone.signal.throwIfAborted();
    return { ...asked, run: { ...asked.run, turn: toTurn(asked.body, messages) } };
  } catch (error) {
    if (!isKeyed) throw error;
    return { ...asked, refusal: toGatewayError(error) };
  } finally {
    raw.off("close", leave);
  }
}

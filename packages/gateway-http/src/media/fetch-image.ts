import type { ImageSettings } from "../config/schema-images.ts";
import { checkType } from "./check-image.ts";
import { download } from "./download.ts";
import { isPublicAddress } from "./public-address.ts";
import { refuseMedia } from "./refuse-media.ts";
import { checkRemoteUrl, hostOf, NOT_PUBLIC } from "./remote-url.ts";
import { type ResolveHost, resolveHost } from "./resolve-host.ts";

export interface FetchImageOptions {
  images: ImageSettings;
  /** Named by what is refused. */
  param: string;
  signal: AbortSignal;
  /** Only tests have others. */
  resolve?: ResolveHost;
  isPublic?: typeof isPublicAddress;
}

/**
 * Fetches an image. The host is resolved first, each of its addresses has to be public, and the connection goes to
 * those very addresses: a name that means something else a moment later changes nothing. A redirect begins all over.
 * @throws GatewayError 400; the signal's reason
 */
export async function fetchImage(text: string, options: FetchImageOptions): Promise<{ type: string; bytes: Buffer }> {
  const { images, param, signal, resolve = resolveHost, isPublic = isPublicAddress } = options;
  let url = checkRemoteUrl(text, param, { images, isPublic });
  for (let redirects = 0; ; redirects++) {
    signal.throwIfAborted();
    const addresses = await resolve(hostOf(url), { signal });
    signal.throwIfAborted();
    if (addresses.length === 0 || !addresses.every(isPublic)) refuseMedia(param, NOT_PUBLIC);
    const answer = await download(url, {
      addresses,
      accept: images.allowedMimes.join(", "),
      maxBytes: images.maxBytes,
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      return refuseMedia(param, "its server cannot be reached, or broke off", error);
    });
    if (answer.kind === "refused") refuseMedia(param, answer.reason);
    if (answer.kind === "body") return { type: checkType(answer.bytes, param, images), bytes: answer.bytes };
    if (redirects === images.maxRedirects) refuseMedia(param, `redirects more than ${images.maxRedirects} times`);
    url = checkRemoteUrl(answer.location, param, { images, base: url, isPublic });
  }
}

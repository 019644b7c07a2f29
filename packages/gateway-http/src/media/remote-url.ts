import { isIP } from "node:net";
import type { ImageSettings } from "../config/schema-images.ts";
import { isPublicAddress } from "./public-address.ts";
import { refuseMedia } from "./refuse-media.ts";

/** Longest URL that is fetched, in characters. */
const MAX_URL_LENGTH = 8192;

export interface RemoteUrlOptions {
  images: Pick<ImageSettings, "allowUrl" | "urlAllowlist">;
  /** The URL that redirected here. */
  base?: URL;
  isPublic?: typeof isPublicAddress;
}

/**
 * The URL of an image that may be fetched, as far as a look at it can tell: which addresses its host has is found out
 * when it is fetched.
 * @throws GatewayError 400
 */
export function checkRemoteUrl(
  text: string,
  param: string,
  { images, base, isPublic = isPublicAddress }: RemoteUrlOptions,
): URL {
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (!url) refuseMedia(param, base ? "redirects to no URL" : "must be a data: or an https: URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    refuseMedia(param, `${base ? "redirects to" : "is"} a URL that is not http: or https:`);
  }
  if (!images.allowUrl)
    refuseMedia(param, "URLs are not fetched here; send the image itself, as a data: URL in base64");
  if (url.username !== "" || url.password !== "") refuseMedia(param, "a URL must not hold credentials");
  if (url.port === "0") refuseMedia(param, "port 0 is none");
  const host = hostOf(url);
  if (!isAllowed(host, images.urlAllowlist)) refuseMedia(param, "images of this host are not fetched here");
  if (isIP(host) !== 0 && !isPublic(host)) refuseMedia(param, NOT_PUBLIC);
  return url;
}

/** The same words for a name that is not there and one that leads inside: else they would tell which names are. */
export const NOT_PUBLIC = "its host has no public address";

/** The host's name, or its address without brackets. `URL` has made plain addresses of decimal and octal ones. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function isAllowed(host: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return patterns.some((pattern) => (pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern));
}

import { dropBody, toForeignAnswerError } from "./api-error.ts";

/**
 * Fetches without going anywhere else: what is sent holds secrets and a talk, and of those `fetch` itself would keep only
 * `authorization` from another origin.
 *
 * @param hops - Most redirects that are followed.
 * @throws APIError of a redirect to another origin, of one that would make another request of it, and in a page of any
 */
export async function fetchHere(
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  url: string,
  init: RequestInit,
  hops = 5,
): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: "manual" });
  const { status } = response;
  const location = response.headers.get("location");
  // A page is not told where to: its status is 0. What has no location is an error like any other.
  if (status && !(status > 300 && status < 309 && location)) return response;
  dropBody(response);
  const { href, origin } = new URL(location ?? "", url);
  if (status > 306 && hops && url.startsWith(`${origin}/`)) return fetchHere(fetch, href, init, hops - 1);
  throw toForeignAnswerError(response, `Redirected to ${status ? origin : "an opaque place"}`);
}

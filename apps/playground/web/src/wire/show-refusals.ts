import type { Fetch } from "./fetch.ts";

/**
 * A refusal is to be seen when it happens, so the client is not to ask again by itself. Only an answer that was begun
 * goes on, whatever it takes.
 */
export function showRefusals(fetch: Fetch): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.ok || new Headers(init.headers).has("last-event-id")) return response;
    const { body, status, statusText } = response;
    const headers = new Headers(response.headers);
    headers.set("x-should-retry", "false");
    return new Response(body, { headers, status, statusText });
  };
}

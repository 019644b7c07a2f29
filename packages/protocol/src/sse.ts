/** The content type of a streamed answer. */
export const SSE_CONTENT_TYPE = "text/event-stream; charset=utf-8";

/** The `data` of the last event of every stream, after the finish (and usage) chunk or after an error. */
export const SSE_DONE = "[DONE]";

/** A whole frame ending the stream. */
export const SSE_DONE_FRAME = `data: ${SSE_DONE}\n\n`;

/**
 * A comment frame, sent while nothing is said so that proxies keep the connection open. Clients skip comments.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes
 */
export const SSE_KEEP_ALIVE_FRAME = ": keep-alive\n\n";

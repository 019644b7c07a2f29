import type { Fetch } from "./fetch.ts";
import type { FrameLog } from "./frame-log.ts";
import { createFrameSplitter } from "./split-frames.ts";

const CHAT_PATH = "/v1/chat/completions";
/** What makes a request the same as one before, and where that one is to go on. */
const SHOWN_HEADERS = ["idempotency-key", "last-event-id"];

/**
 * A `fetch` that shows the bytes of chats to the log on their way to whoever reads them. It is a pipe and not a
 * `tee()`: a reader that lets go still ends the request, and one that is slow still slows the sender.
 */
export function tapFetch(fetch: Fetch, log: FrameLog): Fetch {
  let lastKey: string | null = null;

  /** A new request begins anew; one that comes back, and the end of one, belong to what is there. */
  function logRequest(path: string, init: RequestInit): void {
    const sent = new Headers(init.headers);
    const shown = SHOWN_HEADERS.filter((name) => sent.has(name)).map((name) => `\n${name}: ${sent.get(name)}`);
    const text = `POST ${path}${shown.join("")}`;
    const key = sent.get("idempotency-key");
    if (path === CHAT_PATH && (key === null || key !== lastKey)) {
      lastKey = key;
      log.begin(text);
    } else log.add("sent", text);
  }

  return async (url, init) => {
    const path = new URL(url).pathname;
    if (init.method !== "POST" || !path.startsWith(CHAT_PATH)) return fetch(url, init);
    logRequest(path, init);
    const response = await fetch(url, init).catch((error) => {
      if (!init.signal?.aborted) log.add("note", "no connection");
      throw error;
    });
    const { body, headers, status, statusText } = response;
    log.add(
      response.ok ? "status" : "note",
      [status, statusText, headers.get("content-type")].filter(Boolean).join(" "),
    );
    if (body === null) return response;
    const splitter = createFrameSplitter((text) => log.add("frame", text));
    const tap = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(bytes, controller) {
        splitter.push(bytes);
        controller.enqueue(bytes);
      },
      flush: () => splitter.end(),
    });
    return new Response(body.pipeThrough(tap), { headers, status, statusText });
  };
}

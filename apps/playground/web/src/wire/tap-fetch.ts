import type { FrameLog } from "./frame-log.ts";
import { createFrameSplitter } from "./split-frames.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * A `fetch` that shows the bytes of chats to the log on their way to whoever reads them. It is a pipe and not a
 * `tee()`: a reader that lets go still ends the request, and one that is slow still slows the sender.
 */
export function tapFetch(fetch: Fetch, log: FrameLog): Fetch {
  return async (url, init) => {
    if (init.method !== "POST") return fetch(url, init);
    log.begin(`POST ${new URL(url).pathname}`);
    const response = await fetch(url, init);
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

import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

/** Bytes that may wait to be read before the provider's socket is paused. */
const PAUSE_BYTES = 64 * 1024;
/** After the answer is over the provider has this long to end its response, so that the connection is used again. */
const TRAILER_MS = 1000;

export interface PostRequest {
  path: string;
  headers: Record<string, string>;
  body: string;
  /** How long the provider may be silent, in milliseconds. */
  timeoutMs: number;
  /** Closes the connection, at any time. */
  signal: AbortSignal;
}

/** A response whose body is pulled: what nobody reads is not fetched. */
export interface PostResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** What has come since the last read, waiting for something to come; `undefined` at the end. Rejects if it broke. */
  read(): Promise<Buffer | undefined>;
  /** Nothing more is wanted, and nothing more should come: lets the connection be used again. */
  finish(): void;
  /** Nothing more is wanted, but more may come: closes the connection. Without effect after the end or `finish`. */
  leave(): void;
}

/**
 * One POST over undici's `dispatch`. Its `request()` gives the body as a Node stream, which costs an answer that is not
 * streamed about a quarter of its CPU here.
 */
export function post(pool: Dispatcher, request: PostRequest): Promise<PostResponse> {
  const { signal, timeoutMs, ...rest } = request;
  const { promise, resolve, reject } = Promise.withResolvers<PostResponse>();
  let control: Dispatcher.DispatchController | undefined;
  let pieces: Buffer[] = [];
  let size = 0;
  let over = false;
  let failure: Error | undefined;
  let isWanted = true;
  let wake: (() => void) | undefined;
  let late: NodeJS.Timeout | undefined;

  async function read(): Promise<Buffer | undefined> {
    while (pieces.length === 0) {
      if (failure) throw failure;
      if (over) return undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    pieces = [];
    size = 0;
    if (control?.paused) control.resume();
    return bytes;
  }

  function settle(error?: Error): void {
    over = true;
    failure = error;
    clearTimeout(late);
    signal.removeEventListener("abort", onAbort);
    wake?.();
  }

  function abandon(): void {
    isWanted = false;
    pieces = [];
    if (control?.paused) control.resume();
  }

  function cut(): void {
    if (!over) control?.abort(new Error("the rest of the answer is not wanted"));
  }

  function finish(): void {
    abandon();
    if (!over) late = setTimeout(cut, TRAILER_MS).unref();
  }

  function leave(): void {
    if (!isWanted) return;
    abandon();
    cut();
  }

  const onAbort = () => control?.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  pool.dispatch(
    { ...rest, method: "POST", headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
    {
      onRequestStart(controller) {
        control = controller;
        if (signal.aborted) onAbort();
      },
      onResponseStart(_controller, status, headers) {
        // 1xx only says that the response is to come.
        if (status >= 200) resolve({ status, headers, read, finish, leave });
      },
      onResponseData(controller, bytes) {
        if (!isWanted) return;
        pieces.push(bytes);
        size += bytes.length;
        if (size > PAUSE_BYTES) controller.pause();
        // The reader goes on after this tick: all that one read of the socket brought is its next piece.
        wake?.();
      },
      onResponseEnd: () => settle(),
      onResponseError(_controller, error) {
        settle(error);
        reject(error);
      },
    },
  );
  return promise;
}

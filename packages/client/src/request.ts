import { toApiError, toForeignAnswerError } from "./api-error.ts";
import { type Attempt, createAttempt } from "./attempt.ts";
import { ConnectionError, OpenClawError, toAbortError } from "./errors.ts";
import { type ClientOptions, checkLimits, type RequestOptions, toBaseUrl, toCredential, toHeaders } from "./options.ts";
import { isRetryable, retryDelay } from "./retry.ts";

/** What is asked for. */
export interface Call {
  /** Below `/v1`, for example `/models`. */
  path: string;
  /** Sent as JSON by POST; without it, the method is GET. */
  body?: object;
  /** What the answer must be. */
  accept: "application/json" | "text/event-stream";
  headers?: Record<string, string | undefined>;
}

/** A response with a good status whose body has not been read. Whoever has it must `release()` it in the end. */
export interface Exchange extends Attempt {
  readonly response: Response;
}

export type Send = (call: Call, options: RequestOptions) => Promise<Exchange>;

/** The one place that calls `fetch`: attempts, and the waits between them. */
export function createSend(client: ClientOptions): Send {
  const base = toBaseUrl(client.baseUrl);
  // Looked up at each call, so that what replaces the global one later (a mock, a polyfill) is used.
  const fetch = client.fetch ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));

  return async (call, options) => {
    checkLimits(options);
    const { signal, timeout = client.timeout ?? 600_000, maxRetries = client.maxRetries ?? 2 } = options;
    const url = base + call.path;
    const body = call.body && JSON.stringify(call.body);

    for (let retry = 0; ; retry++) {
      const attempt = createAttempt(signal, timeout);
      try {
        return await send(attempt);
      } catch (error) {
        attempt.release();
        if (retry >= maxRetries || !isRetryable(error)) throw error;
        await wait(retryDelay(error, retry), signal);
      }
    }

    async function send(attempt: Attempt): Promise<Exchange> {
      const token = await attempt.until(() => readToken(client.token));
      const headers = toHeaders(
        { accept: call.accept, "content-type": body && "application/json", authorization: token && `Bearer ${token}` },
        client.headers,
        options.headers,
        call.headers,
      );
      const init: RequestInit = { method: body ? "POST" : "GET", headers, signal: attempt.signal };
      if (body) init.body = body;
      const response = await attempt
        .until(() => fetch(url, init))
        .catch((cause) => {
          attempt.signal.throwIfAborted();
          throw toConnectionError(url, cause);
        });
      // An error's body must come in time, too.
      if (!response.ok) {
        const text = await attempt.until(() => response.text().catch(() => ""));
        throw toApiError(response, text, token);
      }
      attempt.stopTimer();
      if (!response.headers.get("content-type")?.toLowerCase().startsWith(call.accept)) {
        attempt.abort();
        throw toForeignAnswerError(response, call.accept);
      }
      return { ...attempt, response };
    }
  };
}

/** Sends a request and reads its answer, of which the type is trusted. */
export async function sendForJson<T>(send: Send, call: Omit<Call, "accept">, options: RequestOptions): Promise<T> {
  const { response, until, signal, release } = await send({ ...call, accept: "application/json" }, options);
  try {
    return JSON.parse(await until(() => response.text())) as T;
  } catch (cause) {
    signal.throwIfAborted();
    // Not sent again: the run has ended well, and another one would be a second turn.
    throw new ConnectionError("The answer was cut short.", { cause });
  } finally {
    release();
  }
}

async function readToken(token: ClientOptions["token"]): Promise<string | undefined> {
  if (typeof token !== "function") return token === undefined ? undefined : toCredential(token);
  try {
    return toCredential(await token());
  } catch (cause) {
    if (cause instanceof OpenClawError) throw cause;
    throw new OpenClawError("The `token` function failed.", { cause });
  }
}

/** The cause's own message is left out of ours: it may quote what was sent. */
function toConnectionError(url: string, cause: unknown): ConnectionError {
  const code = (cause as { cause?: { code?: unknown } } | null)?.cause?.code;
  return new ConnectionError(`Cannot reach ${url}${typeof code === "string" ? ` (${code})` : ""}.`, { cause });
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(toAbortError(signal));
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, milliseconds);
    function leave() {
      clearTimeout(timer);
      reject(toAbortError(signal as AbortSignal));
    }
    signal?.addEventListener("abort", leave, { once: true });
  });
}

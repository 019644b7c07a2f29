import { HEADERS } from "@openclaw/protocol/wire";
import { dropBody, keepSentHeaders, toApiError, toForeignAnswerError } from "./api-error.ts";
import { type Attempt, createAttempt, wait } from "./attempt.ts";
import { ConnectionError, OpenClawError } from "./errors.ts";
import { fetchHere } from "./fetch-here.ts";
import {
  type ClientOptions,
  checkLimits,
  encode,
  type Fetch,
  misuse,
  RETRIES,
  type RequestOptions,
  toBaseUrl,
  toCredential,
  toHeaders,
} from "./options.ts";
import { isRetryable, retryDelay } from "./retry.ts";

/** Most characters of an error's body that are read. */
const MAX_ERROR_LENGTH = 64 * 1024;

/** What is asked for. */
export interface Call {
  /** @defaultValue `POST` with a body, else `GET` */
  method?: "PATCH" | "DELETE";
  /** A member that is an object becomes `name[member]=value`, one that is `undefined` is left out. */
  query?: object | undefined;
  /** JSON, already text: what is sent again is the same even if its object has changed. */
  body?: string;
  headers?: Record<string, string | undefined>;
  /** Headers of the client and of the call of the same name beat it. */
  idempotencyKey?: string | undefined;
  /** Whether it is an event stream that is asked for. */
  stream?: boolean;
  /**
   * Whether doing it twice is doing it once. By default that is so without a body; with one it is sent again after a
   * broken connection, too, but not once it has been answered.
   */
  isSafe?: boolean | undefined;
  /** Whether it goes on when the page that sent it is closed. */
  keepalive?: boolean;
}

/**
 * Sends a request to a path below `/v1`, given in parts, and reads its JSON, of which the type is trusted. For a stream
 * it gives the `Response` unread, which ends with the signal.
 */
export type Send = <T>(path: readonly string[], options?: RequestOptions, call?: Call) => ResponsePromise<T>;

/** What a call gives, with what it came in at hand. */
export interface ResponsePromise<T> extends Promise<T> {
  /** Also the `Response`, for its status and headers: its body is read, or the stream's to read. */
  withResponse(): Promise<{ data: T; response: Response }>;
}

export function toResponsePromise<T>(answered: Promise<{ data: T; response: Response }>): ResponsePromise<T> {
  const data = answered.then(({ data }) => data);
  const withResponse = () => {
    // Whoever asks for both has its failure.
    data.catch(() => {});
    // One of its own: `answered` is listened to already, its failure would be lost where nobody handles it.
    return answered.then((all) => all);
  };
  return Object.assign(data, { withResponse });
}

/** The one place that calls `fetch`: attempts, and the waits between them. */
export function createSend(client: ClientOptions): Send {
  const base = toBaseUrl(client.baseUrl);
  // Looked up at each call, so that what replaces the global one later (a mock, a polyfill) is used.
  const fetch = (client.middleware ?? []).reduceRight<Fetch>(
    (next, wrap) => wrap(next),
    // Not at the outer end, where it could not be told from what middleware throws.
    async (url, init) => {
      try {
        return await fetchHere(client.fetch ?? globalThis.fetch, url, init);
      } catch (cause) {
        init.signal?.throwIfAborted();
        if (cause instanceof OpenClawError) throw cause;
        throw toConnectionError(url, cause);
      }
    },
  );

  return <T>(...args: Parameters<Send>) => toResponsePromise<T>(request(...args));

  async function request<T>(path: readonly string[], options: RequestOptions = {}, call: Call = {}) {
    checkLimits(options);
    const { signal, timeout = client.timeout ?? 600_000, maxRetries = client.maxRetries ?? RETRIES } = options;
    const { body, stream } = call;
    const url = base + toPath(path) + toQuery(call.query);
    const accept = stream ? "text/event-stream" : "application/json";
    let isAnswered = false;

    for (let retry = 0; ; retry++) {
      const attempt = createAttempt(signal, timeout, stream ? "stream" : "whole answer");
      try {
        const response = await send(attempt);
        if (stream) return { data: response as T, response };
        isAnswered = true;
        const data = (await readJson(response, attempt)) as T;
        attempt.release();
        return { data, response };
      } catch (error) {
        attempt.release();
        if (retry >= maxRetries || !isRetryable(error, call.isSafe ?? !(body && isAnswered))) throw error;
        await wait(retryDelay(error, retry), signal);
      }
    }

    async function send(attempt: Attempt): Promise<Response> {
      const token = await attempt.until(() => readToken(client.token));
      const headers = toHeaders(
        {
          accept,
          "content-type": body && "application/json",
          authorization: token && `Bearer ${token}`,
          [HEADERS.idempotencyKey]: call.idempotencyKey,
        },
        client.headers,
        options.headers,
        call.headers,
      );
      const init: Parameters<Fetch>[1] = {
        method: call.method ?? (body ? "POST" : "GET"),
        headers,
        signal: attempt.signal,
      };
      if (body) init.body = body;
      if (call.keepalive) init.keepalive = true;
      const response = await attempt.until(() => fetch(url, init));
      // As they were sent: the call or middleware may have put others in their place.
      keepSentHeaders(response, headers);
      if (!response.ok) throw toApiError(response, await attempt.until(() => readExcerpt(response)));
      const type = response.headers.get("content-type");
      if (!type?.toLowerCase().startsWith(accept)) {
        attempt.abort();
        dropBody(response);
        throw toForeignAnswerError(response, `Expected ${accept}, got ${type ?? "no content type"}`);
      }
      if (stream) attempt.stopTimer();
      return response;
    }
  }
}

async function readJson(response: Response, { until, signal }: Attempt): Promise<unknown> {
  try {
    return JSON.parse(await until(() => response.text()));
  } catch (cause) {
    signal.throwIfAborted();
    throw new ConnectionError("The answer was cut short.", { cause });
  }
}

/** What there is of an error's body, up to a size: it may be endless. */
async function readExcerpt({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    const reader = body?.getReader();
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      if (text.length > MAX_ERROR_LENGTH) await reader.cancel();
    }
  } catch {
    // What came before it broke may say enough.
  }
  return text;
}

function toPath(parts: readonly string[]): string {
  // `fetch` would resolve dots, and without its name a thing's path is that of all of them.
  if (parts.some((part) => !part || /^\.{1,2}$/.test(part))) misuse("A key or id must not be empty, `.` or `..`.");
  return `/${parts.map(encode).join("/")}`;
}

function toQuery(query: object = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (typeof value === "object") for (const member in value) search.append(`${name}[${member}]`, value[member]);
    else if (value !== undefined) search.append(name, value);
  }
  return String(search) && `?${search}`;
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

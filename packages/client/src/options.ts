import { OpenClawError } from "./errors.ts";

export interface ClientOptions {
  /** The gateway's address, with or without `/v1`, for example `http://127.0.0.1:18789`. In a page: `location.origin`. */
  baseUrl: string;
  /**
   * The gateway's token or one of its keys, or a function that returns it, asked before every attempt. Leave it out for
   * a gateway without authentication.
   */
  token?: string | (() => string | Promise<string>);
  /**
   * Sends the requests.
   * @defaultValue the global `fetch`
   */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /**
   * Milliseconds one attempt may take: until the response headers of a stream, which are there within a second or two;
   * until any other answer is whole. `Infinity` for no limit; the `fetch` of Node has one of 300 s for headers.
   * @defaultValue 600_000
   */
  timeout?: number | undefined;
  /**
   * How often a request is sent again after a failure that may pass: no connection, 408, 409, 429, 5xx, unless the
   * answer says otherwise. A stream that was cut goes on where it was: that is tried for about 30 s however often it
   * fails, and with 0 not at all.
   * @defaultValue 2
   */
  maxRetries?: number | undefined;
  /**
   * Milliseconds a stream may say nothing, not even the comments by which a gateway shows that it is alive (every 15 s
   * unless told otherwise). Then it counts as cut, and is resumed like one. `Infinity` for no limit.
   * @defaultValue 60_000
   */
  idleTimeout?: number | undefined;
  /** Sent with every request. */
  headers?: Record<string, string> | undefined;
  /**
   * What stands around every attempt, also those of a retry and of a stream that comes back: each gets the next one's
   * `fetch` and gives its own. The first is the outermost; it may change the request, read the response, answer itself.
   * No connection comes to it as a `ConnectionError`. What it throws itself is thrown as it is, and not tried again.
   *
   * @example
   * ```ts
   * const timing: Middleware = (next) => async (url, init) => {
   *   const start = performance.now();
   *   const response = await next(url, init);
   *   console.log(init.method, url, response.status, performance.now() - start);
   *   return response;
   * };
   * ```
   */
  middleware?: readonly Middleware[] | undefined;
}

/**
 * Sends a request. `init.headers` is a `Headers`, with the token in it.
 * @throws ConnectionError when there is no answer
 */
export type Fetch = (url: string, init: Omit<RequestInit, "headers"> & { headers: Headers }) => Promise<Response>;

export type Middleware = (next: Fetch) => Fetch;

/** Of one call; beats the client's. */
export interface RequestOptions {
  /** Ends the request, a wait between two attempts and the stream, with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds one attempt may take until its answer is whole, or a stream has its response headers. */
  timeout?: number | undefined;
  /** Milliseconds a stream may say nothing. */
  idleTimeout?: number | undefined;
  maxRetries?: number | undefined;
  headers?: Record<string, string> | undefined;
}

/** Of `maxRetries`. */
export const RETRIES = 2;

/** Of `idleTimeout`, in milliseconds. */
export const IDLE_TIMEOUT = 60_000;

const TOKEN = /^[\x21-\x7e]+$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Says what is wrong with the options, and never what they hold: they may hold secrets.
 * @throws OpenClawError
 */
export function checkOptions(options: ClientOptions): void {
  if (typeof options !== "object" || options === null) misuse("createClient needs options: { baseUrl, token }.");
  if ("baseURL" in options) misuse("`baseURL` is no option. Did you mean `baseUrl`?");
  if ("apiKey" in options) misuse("`apiKey` is no option. Did you mean `token`?");
  const { token, fetch } = options;
  if ("token" in options && typeof token !== "string" && typeof token !== "function") {
    misuse("`token` is neither a string nor a function. Is the environment variable set?");
  }
  if (typeof token === "string") toCredential(token);
  if (fetch !== undefined && typeof fetch !== "function") misuse("`fetch` must be a function.");
  checkLimits(options);
}

/** @throws OpenClawError */
export function checkLimits({ timeout = 1, idleTimeout = 1, maxRetries = 0 }: RequestOptions): void {
  if (!(timeout > 0 && idleTimeout > 0 && maxRetries >= 0))
    misuse("`timeout` and `idleTimeout` must be above 0, `maxRetries` must be from 0.");
}

/**
 * The address that paths such as `/models` are added to.
 * @throws OpenClawError
 */
export function toBaseUrl(text: string): string {
  let url: URL;
  try {
    // `fetch` would take `http:host`, too, and in a page what is relative to it.
    url = new URL(/^https?:\/\//i.test(text) ? text : "");
  } catch {
    return misuse('`baseUrl` must be a URL like "http://127.0.0.1:18789".');
  }
  if (url.username || url.password) misuse("`baseUrl` must not hold a user or password.");
  return `${url.origin}${url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")}/v1`;
}

/**
 * A token that fits into a header. What `fetch` says of one that does not would quote it.
 * @throws OpenClawError
 */
export function toCredential(token: unknown): string {
  const credential = typeof token === "string" ? token.trim() : "";
  if (!TOKEN.test(credential)) misuse("`token` must be visible ASCII characters.");
  return credential;
}

/**
 * All headers of a request; later ones win.
 * @throws OpenClawError when one cannot be sent, without its value
 */
export function toHeaders(...all: (Record<string, string | undefined> | undefined)[]): Headers {
  const headers = new Headers();
  for (const [name, value] of all.flatMap((some) => Object.entries(some ?? {}))) {
    if (value === undefined) continue;
    try {
      headers.set(name, value);
    } catch {
      misuse(`The header ${JSON.stringify(name)} cannot be sent.`);
    }
  }
  return headers;
}

/**
 * The key that makes sending a chat request again harmless: the one given, or else 128 bits by chance.
 * @throws OpenClawError
 */
export function toIdempotencyKey(given: string | false | undefined): string | undefined {
  // Not `crypto.randomUUID`: pages that did not come over https do not have it.
  const key = given ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
  if (key === false) return undefined;
  return IDEMPOTENCY_KEY.test(key) ? key : misuse("`idempotencyKey` must be 1 to 255 visible ASCII characters.");
}

/**
 * Text of any script, for a header or a path.
 * @throws OpenClawError
 */
export function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return misuse("A key or id is malformed.");
  }
}

export function misuse(message: string): never {
  throw new OpenClawError(message);
}

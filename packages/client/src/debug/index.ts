import type { Middleware } from "../options.ts";
import { isSecret } from "../secrets.ts";
import { createMask } from "./mask.ts";
import { type BodyListener, watch } from "./watch.ts";

/** Characters of a line kept besides those to show, so that no secret is cut in two before it is masked. */
const KEPT_BEYOND = 64 * 1024;

export interface DebugOptions {
  /**
   * Gets the lines. What it throws is dropped: to look on must not change what is looked at.
   * @defaultValue `console.debug`
   */
  print?: ((line: string) => void) | undefined;
  /**
   * Most characters of a body, or of a line of a stream.
   * @defaultValue 2000
   */
  maxLength?: number | undefined;
}

/**
 * Middleware that prints what goes over the wire: requests and responses, their headers and bodies, streams line by line
 * as they come. The values of headers that may be secret are masked, everywhere they occur. What is said in the talk is
 * shown: it is for a developer's eyes. The last in the list shows what is really sent.
 *
 * @example
 * ```ts
 * const client = createClient({ baseUrl, token, middleware: [debug()] });
 * ```
 */
export function debug({ print = console.debug, maxLength = 2000 }: DebugOptions = {}): Middleware {
  let count = 0;
  return (next) => async (url, init) => {
    const id = ++count;
    const startedAt = performance.now();
    let mask = createMask(init.headers);
    const say = (sign: string, text: string, isLonger = false) => {
      try {
        print(`[openclaw ${id}] ${sign} ${cut(mask(text), maxLength, isLonger)}`);
      } catch {
        // Nobody is told: whoever prints is the one to tell.
      }
    };
    const sayHeaders = (sign: string, headers: Headers) => {
      for (const [name, value] of headers) say(sign, `${name}: ${isSecret(name) ? "***" : value}`);
    };
    const since = () => `(${Math.round(performance.now() - startedAt)} ms)`;
    const fail = (error: unknown) => say("!", `${toText(error)} ${since()}`);
    say(">", `${init.method ?? "GET"} ${url}`);
    sayHeaders(">", init.headers);
    if (typeof init.body === "string") say(">", init.body);
    try {
      const response = await next(url, init);
      say("<", [response.status, response.statusText, since()].filter(Boolean).join(" "));
      sayHeaders("<", response.headers);
      const cookies = response.headers.getSetCookie().map((cookie): [string, string] => ["cookie", cookie]);
      if (cookies.length > 0) mask = createMask([...init.headers, ...cookies]);
      const listener: BodyListener = {
        onLine: (line, isLonger) => say("<", line, isLonger),
        onEnd: (how) => say("<", `${how} ${since()}`),
        onError: fail,
      };
      return watch(response, listener, maxLength + KEPT_BEYOND);
    } catch (error) {
      fail(error);
      throw error;
    }
  };
}

function toText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** @param isLonger - Whether there was more than the text. */
function cut(text: string, maxLength: number, isLonger: boolean): string {
  if (text.length <= maxLength && !isLonger) return text;
  return `${text.slice(0, maxLength)}… (${isLonger ? "more than " : ""}${text.length} characters)`;
}

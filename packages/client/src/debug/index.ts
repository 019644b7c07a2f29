import type { Middleware } from "../options.ts";
import { createMask, isSecret } from "./mask.ts";
import { type BodyListener, watch } from "./watch.ts";

export interface DebugOptions {
  /**
   * Gets the lines.
   * @defaultValue `console.debug`
   */
  print?: (line: string) => void;
  /**
   * Most characters of a body, or of a line of a stream.
   * @defaultValue 2000
   */
  maxLength?: number;
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
    const mask = createMask(init.headers);
    const say = (sign: string, text: string) => print(`[openclaw ${id}] ${sign} ${cut(mask(text), maxLength)}`);
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
      const listener: BodyListener = {
        onLine: (line) => say("<", line),
        onEnd: (how) => say("<", `${how} ${since()}`),
        onError: fail,
      };
      return watch(response, listener);
    } catch (error) {
      fail(error);
      throw error;
    }
  };
}

function toText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}… (${text.length} characters)`;
}

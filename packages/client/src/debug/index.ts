import type { Middleware } from "../options.ts";

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

/** Headers whose values give access, or say whose. */
const SECRET_HEADER = /auth|cookie|token|secret|key/i;

/**
 * Middleware that prints what goes over the wire: requests and responses, their headers and bodies, streams line by line
 * as they come. The values of headers that may be secret are masked, everywhere they occur. What is said in the talk is
 * shown: it is for a developer's eyes.
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
    say(">", `${init.method ?? "GET"} ${url}`);
    for (const [name, value] of init.headers) say(">", `${name}: ${isSecret(name) ? "***" : value}`);
    if (typeof init.body === "string") say(">", init.body);
    const since = () => `${Math.round(performance.now() - startedAt)} ms`;
    try {
      const response = await next(url, init);
      say("<", `${response.status} ${response.statusText} (${since()})`);
      for (const [name, value] of response.headers) say("<", `${name}: ${isSecret(name) ? "***" : value}`);
      return watched(
        response,
        (line) => say("<", line),
        () => say("<", `end (${since()})`),
      );
    } catch (error) {
      say("!", `${error instanceof Error ? `${error.name}: ${error.message}` : String(error)} (${since()})`);
      throw error;
    }
  };
}

/** The response as it is, each line of its body told on its way. */
function watched(response: Response, onLine: (line: string) => void, onEnd: () => void): Response {
  if (!response.body) return response;
  const decoder = new TextDecoder();
  let rest = "";
  const tap = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      controller.enqueue(bytes);
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") onLine(line);
    },
    flush() {
      if (rest.trim() !== "") onLine(rest);
      onEnd();
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(tap), { status, statusText, headers });
}

function isSecret(name: string): boolean {
  return SECRET_HEADER.test(name);
}

/** A proxy's page may show the request's headers. */
function createMask(headers: Headers): (text: string) => string {
  const secrets = [...headers]
    .filter(([name, value]) => isSecret(name) && value.length >= 8)
    .flatMap(([, value]) => [value, value.replace(/^bearer\s+/i, "")]);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}… (${text.length} characters)`;
}

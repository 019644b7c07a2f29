import type { ServerResponse } from "node:http";

/** What a provider can do wrong, and the code that the caller is to be told. `refused` is a port that nobody has. */
export const FAULTS = {
  refused: ["provider_unreachable"],
  limited: ["provider_rate_limited"],
  overloaded: ["provider_overloaded"],
  broken: ["provider_error"],
  denied: ["provider_auth"],
  page: ["provider_bad_response"],
  cut: ["provider_bad_response", "provider_unreachable"],
  unfinished: ["provider_bad_response"],
  garbage: ["provider_bad_response"],
  silent: ["provider_timeout"],
} as const;

export type Fault = keyof typeof FAULTS;
/** Faults of the stand-in itself. */
type Served = Exclude<Fault, "refused">;

export function readFault(text: string): Served | undefined {
  const name = /\bfault=(\w+)/.exec(text)?.[1];
  return name !== undefined && name !== "refused" && Object.hasOwn(FAULTS, name) ? (name as Served) : undefined;
}

/** Of a refusal: a text that stands in no other, so that one would see where it comes out. */
const STATUS: Partial<Record<Served, number>> = { limited: 429, overloaded: 503, broken: 500, denied: 401 };

const word = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

/** Answers as a provider does that has this fault, after two words where it is one of streams. */
export function misbehave(fault: Served, response: ServerResponse, stream: boolean): void {
  const status = STATUS[fault];
  if (status !== undefined) {
    const error = { message: `The soak's provider is ${fault}.`, type: "soak", code: fault };
    response.writeHead(status, { "content-type": "application/json", ...(status === 429 && { "retry-after": "1" }) });
    response.end(JSON.stringify({ error }));
    return;
  }
  if (fault === "page") {
    response.writeHead(200, { "content-type": "text/html" }).end("<html><body>Sign in</body></html>");
    return;
  }
  response.writeHead(200, { "content-type": stream ? "text/event-stream" : "application/json" });
  if (!stream) {
    response.write('{"choices":[{"index":0,"message":{"role":"assistant",');
    if (fault === "garbage") response.end("\u0000}}");
    else if (fault === "unfinished") response.end();
    else if (fault === "cut") setTimeout(() => response.destroy(), 50);
    return;
  }
  response.write(word("one;") + word("two;"));
  if (fault === "garbage") response.end("data: {not json\n\n");
  else if (fault === "unfinished") response.end();
  else if (fault === "cut") setTimeout(() => response.destroy(), 50);
}

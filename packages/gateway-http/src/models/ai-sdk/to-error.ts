import { GatewayError } from "../../errors/gateway-error.ts";

/** What a library throws, or gives as a part: as much as its own classes, of which several versions may be installed. */
interface LibraryError {
  name?: unknown;
  message?: unknown;
  statusCode?: unknown;
  responseBody?: unknown;
  data?: unknown;
  functionality?: unknown;
  value?: unknown;
  cause?: unknown;
}

/** An answer of OpenAI's that failed, although it came with 200. */
interface Failed {
  status?: unknown;
  error?: { message?: unknown; code?: unknown; type?: unknown } | null;
}

export interface ErrorContext {
  provider: string;
  /** Makes the error of a provider that refused. */
  refused(status: number, body: string): GatewayError;
  signal: AbortSignal;
}

/** Whatever a library threw or said, as one of our errors. Pure. */
export function toSdkError(error: unknown, { provider, refused, signal }: ErrorContext): unknown {
  // Our own side ended the call: the reason is the run's to give.
  if (signal.aborted) return signal.reason;
  const chain = [...causesOf(error)];
  const own = chain.find((cause) => cause instanceof GatewayError);
  if (own) return own;
  for (const { value, responseBody } of chain as LibraryError[]) {
    for (const found of [value, responseBody] as (Failed | null | undefined)[]) {
      const failure = found?.status === "failed" ? found.error : undefined;
      if (typeof failure?.message !== "string") continue;
      return refused(statusOf(`${failure.code} ${failure.type}`), JSON.stringify({ error: failure }));
    }
  }
  for (const { name, message, statusCode, responseBody, data, functionality } of chain as LibraryError[]) {
    if (name === "AI_UnsupportedFunctionalityError") {
      return new GatewayError("unsupported_parameter", `The provider ${provider} does not take ${functionality}.`, {
        param: "messages",
      });
    }
    // What the config says under `params` and the library knows by that name, but not with this value.
    if (name === "AI_InvalidArgumentError") {
      return new GatewayError("provider_error", `The agent's parameters for the provider ${provider} are not valid.`, {
        retry: false,
        cause: message,
      });
    }
    // A refusal inside an answer that began with 200. One without a status is the provider's own failure.
    if (data === undefined && responseBody === undefined) continue;
    const status = typeof statusCode === "number" ? statusCode : 500;
    if (status >= 400) return refused(status, JSON.stringify({ error: { message }, details: data ?? responseBody }));
  }
  return new GatewayError("provider_bad_response", `The provider ${provider} gave an answer that cannot be read.`, {
    cause: (chain as LibraryError[]).map(describe).join(": "),
  });
}

/** As the library reads the same words in a stream. */
const STATUSES: readonly (readonly [RegExp, number])[] = [
  [/insufficient_quota|rate_limit/, 429],
  [/authentication/, 401],
  [/permission/, 403],
  [/not_found/, 404],
  [/invalid|bad_request|context_length/, 400],
  [/overload/, 503],
  [/timeout/, 504],
];

function statusOf(words: string): number {
  return STATUSES.find(([pattern]) => pattern.test(words))?.[1] ?? 500;
}

/** For the log, which holds nothing that was said: the libraries' messages quote what they could not read. */
function describe({ name, message }: LibraryError): unknown {
  return name === "Error" ? message : name;
}

function* causesOf(error: unknown): Generator<object> {
  const seen = new Set<unknown>();
  for (let at = error; typeof at === "object" && at !== null && !seen.has(at); at = (at as LibraryError).cause) {
    seen.add(at);
    yield at;
  }
}

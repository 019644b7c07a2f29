import { GatewayError } from "../errors/gateway-error.ts";

const TIMEOUTS = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

export interface TransportContext {
  provider: string;
  /** Whether the provider had begun to answer. */
  heard: boolean;
  signal: AbortSignal;
}

/** Whatever a call of a provider threw, as one of our errors. Pure. */
export function toTransportError(error: unknown, { provider, heard, signal }: TransportContext): unknown {
  // Our own side ended the call: the reason is the run's to give.
  if (signal.aborted) return signal.reason;
  if (error instanceof GatewayError) return error;
  const code = codeOf(error);
  // What the network does has a code; the rest is a bug.
  if (code === undefined) return error;
  if (TIMEOUTS.has(code)) {
    return new GatewayError("provider_timeout", `The provider ${provider} said nothing for too long.`, {
      cause: error,
    });
  }
  return heard
    ? new GatewayError("provider_bad_response", `The connection to the provider ${provider} broke (${code}).`, {
        cause: error,
      })
    : new GatewayError("provider_unreachable", `The provider ${provider} cannot be reached (${code}).`, {
        cause: error,
      });
}

function codeOf(error: unknown): string | undefined {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const found = code ?? cause?.code;
  return typeof found === "string" ? found : undefined;
}

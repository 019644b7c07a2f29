import { GatewayError } from "../errors/gateway-error.ts";

/** What a provider said when it refused. */
export interface ProviderRefusal {
  status: number;
  /** Its body as text, cut to a bound. */
  body: string;
  /** Its `retry-after` header. */
  retryAfter?: string | undefined;
  provider: string;
  model: string;
  /** Takes every configured secret out of the provider's own words. */
  redact(text: string): string;
}

/** Longest piece of a provider's own text that is passed on. */
const MAX_PASSED_ON = 500;

// Not every mention of billing is one: a rate limit often comes with advice to buy more.
const BILLING = /insufficient_quota|billing_(?:not_active|hard_limit)|credit balance/i;
const AUTH =
  /invalid_api_key|api_key_invalid|authentication_error|incorrect api key|api key not valid|invalid api key/i;
const CONTEXT =
  /context[_ ]length|context window|maximum context|too many tokens|(?:prompt|input) is too long|exceeds? (?:the )?(?:available )?context|input token count .{0,40}exceeds/i;
/** The header that AWS's requests are signed with, which some refusals quote. */
const SIGNED = /AWS4-HMAC-SHA256[^\r\n]*/gi;
const FILTER = /content_filter|content management policy|responsible ?ai/i;
const MODEL =
  /model_not_found|model .*(?:not found|does not exist)|no such model|not a valid model|model identifier is invalid/i;

/** A provider's refusal as one of our errors. Its words about credentials are never passed on. Pure. */
export function toProviderError(refusal: ProviderRefusal): GatewayError {
  const { status, body, provider, model } = refusal;
  const said = words(refusal);
  const retryAfter = seconds(refusal.retryAfter) ?? retryDelay(body);
  if (status === 401 || status === 402 || status === 403 || BILLING.test(body) || AUTH.test(body)) {
    return new GatewayError(
      "provider_auth",
      `The provider ${provider} refused the gateway's credentials or account. Whoever runs the gateway has to check them.`,
      { cause: said },
    );
  }
  if (status === 429) return new GatewayError("provider_rate_limited", said, { retryAfter });
  if (status === 503 || status === 529) return new GatewayError("provider_overloaded", said, { retryAfter });
  if (status === 408 || status === 504) return new GatewayError("provider_timeout", said);
  // Bedrock's 424 is the model's own failure.
  if (status >= 500 || status === 424) return new GatewayError("provider_error", said, { retry: true });
  if (CONTEXT.test(body) && (status === 400 || status === 413 || status === 422)) {
    return new GatewayError("context_length_exceeded", said, { param: "messages" });
  }
  if (FILTER.test(body) && status === 400) return new GatewayError("content_filter", said, { param: "messages" });
  if (status === 404 || MODEL.test(body)) {
    return new GatewayError("provider_model_not_found", `The provider ${provider} does not know the model ${model}.`);
  }
  return new GatewayError("provider_error", said, { retry: false });
}

/** The provider's own message, wherever it put it. */
function words({ status, body, provider, redact }: ProviderRefusal): string {
  let text = body;
  try {
    const json = JSON.parse(body) as { error?: { message?: unknown } | string; message?: unknown; detail?: unknown };
    const found = typeof json.error === "object" ? json.error?.message : (json.error ?? json.message ?? json.detail);
    if (typeof found === "string") text = found;
  } catch {
    // Not JSON: an HTML page of a proxy says nothing a caller can use.
    if (/^\s*</.test(body)) text = "";
  }
  const shown = redact(text).replace(SIGNED, "…").trim().slice(0, MAX_PASSED_ON);
  return `The provider ${provider} answered ${status}${shown ? `: ${shown}` : "."}`;
}

/** Seconds of a `retry-after` that gives seconds or a date (RFC 9110 §10.2.3). */
function seconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(value) && value >= 0 ? Math.ceil(value) : undefined;
}

/** Google says in the body when to come again: `"retryDelay": "37s"`. */
function retryDelay(body: string): number | undefined {
  return seconds(/"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body)?.[1]);
}

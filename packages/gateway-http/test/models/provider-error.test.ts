import { expect, test, vi } from "vitest";
import { createRedactor } from "../../src/errors/redact.ts";
import { toProviderError } from "../../src/models/provider-error.ts";

const SECRET = "sk-secret-0123456789";

const refuse = (status: number, body: unknown, retryAfter?: string) =>
  toProviderError({
    status,
    body: typeof body === "string" ? body : JSON.stringify(body),
    retryAfter,
    provider: "acme",
    model: "m-1",
    redact: createRedactor([SECRET]),
  });

const says = (message: string, more: object = {}) => ({ error: { message, ...more } });

type Row = [title: string, status: number, body: unknown, code: string, ourStatus: number, retry: boolean | undefined];

const TABLE: Row[] = [
  ["401", 401, says("bad key"), "provider_auth", 502, false],
  ["402", 402, says("pay"), "provider_auth", 502, false],
  ["403", 403, says("no"), "provider_auth", 502, false],
  ["OpenAI, out of credit", 429, says("…", { code: "insufficient_quota" }), "provider_auth", 502, false],
  ["Anthropic, out of credit", 400, says("Your credit balance is too low"), "provider_auth", 502, false],
  ["Gemini, bad key", 400, says("API key not valid. Please pass a valid API key."), "provider_auth", 502, false],
  ["xAI, bad key", 400, { error: `Incorrect API key provided: ${SECRET}` }, "provider_auth", 502, false],
  ["error event, bad key", 500, says("…", { code: "invalid_api_key" }), "provider_auth", 502, false],
  ["404", 404, says("nope"), "provider_model_not_found", 502, false],
  ["400, unknown model", 400, says("x", { code: "model_not_found" }), "provider_model_not_found", 502, false],
  [
    "Ollama, no model",
    404,
    says('model "m-1" not found, try pulling it first'),
    "provider_model_not_found",
    502,
    false,
  ],
  ["OpenRouter, no model", 400, says("acme/x is not a valid model ID"), "provider_model_not_found", 502, false],
  ["429", 429, says("slow down"), "provider_rate_limited", 429, true],
  [
    "Groq, with an advertisement",
    429,
    says("Rate limit reached. Please try again in 2.1s. Upgrade at https://console.groq.com/settings/billing"),
    "provider_rate_limited",
    429,
    true,
  ],
  [
    "OpenAI, with advice",
    429,
    says("Rate limit reached. You can increase your rate limit by adding a payment method to your account"),
    "provider_rate_limited",
    429,
    true,
  ],
  ["503", 503, says("busy"), "provider_overloaded", 503, true],
  ["529", 529, says("overloaded"), "provider_overloaded", 503, true],
  ["408", 408, "", "provider_timeout", 504, true],
  ["504", 504, "<html>", "provider_timeout", 504, true],
  ["500", 500, says("oops"), "provider_error", 502, true],
  ["502", 502, "<html>bad gateway</html>", "provider_error", 502, true],
  ["400", 400, says("strange"), "provider_error", 502, false],
  ["422", 422, { detail: "strange" }, "provider_error", 502, false],
  ["302", 302, "", "provider_error", 502, false],
  ["OpenAI, too long", 400, says("x", { code: "context_length_exceeded" }), "context_length_exceeded", 400, undefined],
  ["vLLM, too long", 400, says("maximum context length is 8192"), "context_length_exceeded", 400, undefined],
  [
    "llama.cpp, too long",
    400,
    says("the request exceeds the available context size"),
    "context_length_exceeded",
    400,
    undefined,
  ],
  ["413, too long", 413, says("prompt is too long"), "context_length_exceeded", 400, undefined],
  [
    "Anthropic, too long with its answer",
    400,
    says("input length and `max_tokens` exceed context limit: 9 + 9 > 9"),
    "context_length_exceeded",
    400,
    undefined,
  ],
  [
    "Gemini, too long",
    400,
    says("The input token count (9) exceeds the maximum number of tokens allowed (8)."),
    "context_length_exceeded",
    400,
    undefined,
  ],
  [
    "Bedrock, too long",
    400,
    { message: "Input is too long for requested model." },
    "context_length_exceeded",
    400,
    undefined,
  ],
  [
    "Bedrock, no model",
    400,
    { message: "The provided model identifier is invalid." },
    "provider_model_not_found",
    502,
    false,
  ],
  [
    "Bedrock, the model failed",
    424,
    { message: "The system encountered an unexpected error" },
    "provider_error",
    502,
    true,
  ],
  ["Azure, filtered", 400, says("x", { code: "content_filter" }), "content_filter", 400, undefined],
];

for (const [title, status, body, code, ourStatus, retry] of TABLE) {
  test(`${title}: ${code}`, () => {
    expect(refuse(status, body)).toMatchObject({ code, status: ourStatus, retry });
  });
}

test("the request's fault names the messages", () => {
  expect(refuse(400, says("maximum context length is 8192")).param).toBe("messages");
});

test("where a provider puts its words does not matter", () => {
  for (const body of [
    says("its words"),
    { error: "its words" },
    { message: "its words" },
    { detail: "its words" },
    "its words",
  ]) {
    expect(refuse(400, body).message).toBe("The provider acme answered 400: its words");
  }
});

test("bodies without words leave the status alone", () => {
  for (const body of ["", " \n", "<html>page</html>", "\n<!doctype html>"]) {
    expect(refuse(500, body).message).toBe("The provider acme answered 500.");
  }
});

test("odd bodies are no bug", () => {
  for (const body of ["null", "5", "[]", '{"error":null}', '{"error":{"message":5}}', "{"]) {
    expect(refuse(500, body).code).toBe("provider_error");
  }
});

test("what a provider says about credentials is never passed on", () => {
  const message = `Incorrect API key provided: ${SECRET}. account@example.com`;
  for (const status of [401, 402, 403]) {
    expect(refuse(status, says(message)).message).not.toMatch(/Incorrect|example\.com|secret/);
  }
  expect(refuse(500, says(message, { code: "invalid_api_key" })).message).not.toMatch(/Incorrect|example\.com|secret/);
});

test("secrets are taken out of what is passed on, and it is short", () => {
  expect(refuse(500, says(`header Bearer ${SECRET} refused`)).message).toBe(
    "The provider acme answered 500: header Bearer *** refused",
  );
  expect(refuse(500, `${SECRET} ${"x".repeat(100_000)}`).message.length).toBeLessThan(600);
  // Half a secret is not shown because the text was cut in its middle.
  expect(refuse(500, "x".repeat(490) + SECRET).message).not.toContain("sk-se");
});

test("retry-after is seconds, in whatever form it came", () => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
  const after = (header: string) => refuse(429, "", header).retryAfter;
  try {
    expect(after("7")).toBe(7);
    expect(after("0")).toBe(0);
    expect(after("0.2")).toBe(1);
    expect(after("Thu, 01 Jan 2026 00:01:30 GMT")).toBe(90);
    expect(after("Wed, 31 Dec 2025 00:00:00 GMT")).toBeUndefined();
    for (const nonsense of ["soon", "-5", "", "NaN", "1e3", "7, 8"]) expect(after(nonsense)).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
  expect(refuse(503, "", "9").retryAfter).toBe(9);
  // Google's stands in the body.
  expect(refuse(429, { error: { details: [{ retryDelay: "6.6s" }] } }).retryAfter).toBe(7);
});

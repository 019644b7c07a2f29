import { expect, test } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { toSdkError } from "../../../src/models/ai-sdk/to-error.ts";
import { toProviderError } from "../../../src/models/provider-error.ts";

const refused = (status: number, body: string) =>
  toProviderError({ status, body, provider: "acme", model: "m", redact: (text) => text.replaceAll("sk-secret", "…") });
const read = (error: unknown, signal = new AbortController().signal) =>
  toSdkError(error, { provider: "acme", refused, signal }) as GatewayError;
const failure = (message: string, members: object) => Object.assign(new Error(message), members);

test("an error of ours comes out of whatever it was put into", () => {
  const own = new GatewayError("provider_unreachable", "gone");
  expect(read(own)).toBe(own);
  expect(read(new Error("x", { cause: new Error("y", { cause: own }) }))).toBe(own);
});

test("after an abort its reason is what counts", () => {
  const reason = new Error("the client left");
  expect(read(new Error("aborted"), AbortSignal.abort(reason))).toBe(reason);
});

test("a refusal inside an answer has the status that the library gives it, and the provider's own words", () => {
  const error = failure("Overloaded, sk-secret", { name: "AI_APICallError", statusCode: 529, responseBody: "{}" });
  expect(read(error)).toMatchObject({ code: "provider_overloaded" });
  expect(read(error).message).toBe("The provider acme answered 529: Overloaded, …");
  expect(read(failure("Odd", { data: { type: "odd" } }))).toMatchObject({ code: "provider_error", retry: true });
  const quota = failure("Pay first", { statusCode: 429, data: { error: { code: "insufficient_quota" } } });
  expect(read(quota)).toMatchObject({ code: "provider_auth" });
});

test("an answer that cannot be read is told without what it says", () => {
  const inner = failure("JSON parsing failed: Text: my secret diary", { name: "AI_JSONParseError", text: "my secret" });
  const outer = failure("Failed to process successful response", {
    name: "AI_APICallError",
    statusCode: 200,
    cause: inner,
  });
  expect(read(outer)).toMatchObject({ code: "provider_bad_response", cause: "AI_APICallError: AI_JSONParseError" });
  expect(read("what is this")).toMatchObject({ code: "provider_bad_response" });
});

test("what the library cannot say is the caller's error, what the config says wrongly the operator's", () => {
  const unsupported = failure("x", { name: "AI_UnsupportedFunctionalityError", functionality: "audio/wav" });
  expect(read(unsupported)).toMatchObject({ code: "unsupported_parameter", status: 400, param: "messages" });
  const invalid = failure("invalid anthropic provider options", { name: "AI_InvalidArgumentError" });
  expect(read(invalid)).toMatchObject({ code: "provider_error", retry: false });
});

test("what a request was signed with is not passed on", () => {
  const header = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock/aws4_request, Signature=abc0123";
  const error = refused(400, JSON.stringify({ message: `Bad header: ${header}\nTry again.` }));
  expect(error.message).toBe("The provider acme answered 400: Bad header: …\nTry again.");
});

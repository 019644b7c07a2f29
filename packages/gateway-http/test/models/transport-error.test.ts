import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { toTransportError } from "../../src/models/transport-error.ts";

const coded = (code: string) => Object.assign(new Error("detail 10.0.0.1"), { code });
const wrapped = (code: string) => new TypeError("failed", { cause: coded(code) });

const map = (error: unknown, heard: boolean, signal = new AbortController().signal) =>
  toTransportError(error, { provider: "acme", heard, signal });

for (const [error, heard, code, status] of [
  [coded("ECONNREFUSED"), false, "provider_unreachable", 502],
  [coded("ENOTFOUND"), false, "provider_unreachable", 502],
  [coded("UND_ERR_CONNECT_TIMEOUT"), false, "provider_unreachable", 502],
  [coded("CERT_HAS_EXPIRED"), false, "provider_unreachable", 502],
  [wrapped("ECONNRESET"), false, "provider_unreachable", 502],
  [coded("UND_ERR_SOCKET"), true, "provider_bad_response", 502],
  [coded("HPE_INVALID_CHUNK_SIZE"), true, "provider_bad_response", 502],
  [coded("UND_ERR_HEADERS_TIMEOUT"), false, "provider_timeout", 504],
  [coded("UND_ERR_BODY_TIMEOUT"), true, "provider_timeout", 504],
] as const) {
  test(`${String((error as { code?: string }).code)} ${heard ? "in" : "before"} the answer: ${code}`, () => {
    const mapped = map(error, heard);
    expect(mapped).toMatchObject({ code, status, retry: true });
    expect((mapped as Error).message).not.toContain("10.0.0.1");
  });
}

test("once we ended the call ourselves, our reason is the error", () => {
  const reason = new GatewayError("run_timeout", "too long");
  expect(map(coded("UND_ERR_ABORTED"), true, AbortSignal.abort(reason))).toBe(reason);
});

test("our own errors stay what they are", () => {
  const error = new GatewayError("provider_auth", "no");
  expect(map(error, true)).toBe(error);
});

test("a bug of ours is not blamed on the provider", () => {
  const bug = new TypeError("x is not a function");
  expect(map(bug, true)).toBe(bug);
});

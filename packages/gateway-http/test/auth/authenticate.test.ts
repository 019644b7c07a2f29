import { hash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAuthenticator } from "../../src/auth/authenticate.ts";
import type { Credentials } from "../../src/auth/credentials.ts";
import { createKeyRing } from "../../src/auth/key-ring.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";

const SECRET = "correct horse battery";
const RATE_LIMIT = { maxAttempts: 10, windowMs: 60_000, lockoutMs: 300_000, exemptLoopback: true };
const REMOTE = { address: "203.0.113.7", local: false };
const LOCAL = { address: "127.0.0.1", local: true };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function authenticator(mode: "token" | "password", secret = SECRET, rateLimit = RATE_LIMIT) {
  const credentials: Credentials = { mode, digest: hash("sha256", secret, "buffer"), secret, source: "config" };
  const { authenticate } = createAuthenticator({
    current: () => ({ credentials, keys: createKeyRing([]) }),
    rateLimit,
  });
  /** The owner, or the error's code. */
  return async (authorization: string | undefined, from = REMOTE): Promise<string> => {
    try {
      return (await authenticate({ authorization, ...from })).owner;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      expect(error.message).not.toContain(SECRET);
      if (authorization !== undefined && authorization.length > 10)
        expect(error.message).not.toContain(authorization.slice(7));
      return error.retryAfter === undefined ? error.code : `${error.code} ${error.retryAfter}`;
    }
  };
}

async function failTenTimes(attempt: ReturnType<typeof authenticator>): Promise<void> {
  for (let i = 0; i < 10; i++) expect(await attempt("Bearer wrong-secret")).toBe("invalid_api_key");
}

test.each([`Bearer ${SECRET}`, `bearer ${SECRET}`, `BEARER   ${SECRET}  `])(
  "%j is let in as the operator",
  async (authorization) => {
    expect(await authenticator("token")(authorization)).toBe("operator");
    expect(await authenticator("password")(authorization)).toBe("operator");
  },
);

test.each([
  undefined,
  "",
  "Bearer",
  "Bearer ",
  `Basic ${SECRET}`,
  SECRET,
  `Bearer${SECRET}`,
  `Bearer x${SECRET}`,
  `Bearer ${SECRET}x`,
])("%j is refused", async (authorization) => {
  expect(await authenticator("token")(authorization)).toBe("invalid_api_key");
});

test("a password in any script is let in, whether its bytes came as UTF-8 or as Latin-1", async () => {
  const attempt = authenticator("password", "pässwörd");
  expect(await attempt(`Bearer ${Buffer.from("pässwörd").toString("latin1")}`)).toBe("operator");
  expect(await attempt("Bearer pässwörd")).toBe("operator");
  expect(await authenticator("password", "пароль")(`Bearer ${Buffer.from("пароль").toString("latin1")}`)).toBe(
    "operator",
  );
  expect(await attempt("Bearer passwörd")).toBe("invalid_api_key");
});

test("during a lockout a correct token is still served, a wrong one is not looked at", async () => {
  const attempt = authenticator("token");
  await failTenTimes(attempt);
  expect(await attempt("Bearer wrong")).toBe("too_many_failed_attempts 300");
  expect(await attempt(`Bearer ${SECRET}`)).toBe("operator");
  expect(await attempt("Bearer wrong", { address: "203.0.113.8", local: false })).toBe("invalid_api_key");
  vi.advanceTimersByTime(299_001);
  expect(await attempt("Bearer wrong")).toBe("too_many_failed_attempts 1");
  vi.advanceTimersByTime(999);
  expect(await attempt("Bearer wrong")).toBe("invalid_api_key");
});

test("a short token is treated like a password: during a lockout the right one is refused too", async () => {
  const short = "7".repeat(15);
  const attempt = authenticator("token", short);
  await failTenTimes(attempt);
  expect(await attempt(`Bearer ${short}`)).toBe("too_many_failed_attempts 300");
  vi.advanceTimersByTime(300_000);
  expect(await attempt(`Bearer ${short}`)).toBe("operator");
  const long = authenticator("token", `${short}7`);
  await failTenTimes(long);
  expect(await long(`Bearer ${short}7`)).toBe("operator");
});

test("looking again counts nothing, and is not kept from it by a lockout", async () => {
  const { authenticate, recheck } = createAuthenticator({
    current: () => ({
      credentials: { mode: "password", digest: hash("sha256", SECRET, "buffer"), secret: SECRET, source: "config" },
      keys: createKeyRing([]),
    }),
    rateLimit: RATE_LIMIT,
  });
  const wrong = { authorization: "Bearer wrong", ...REMOTE };
  const right = { authorization: `Bearer ${SECRET}`, ...REMOTE };
  for (let i = 0; i < 20; i++) expect(() => recheck(wrong)).toThrow("Wrong password.");
  expect((await authenticate(right)).owner).toBe("operator");
  for (let i = 0; i < 10; i++) await expect(authenticate(wrong)).rejects.toThrow("Wrong password.");
  await expect(authenticate(right)).rejects.toThrow("Too many failed attempts");
  expect(recheck(right).owner).toBe("operator");
});

test("during a lockout even a correct password is refused, and let in after it", async () => {
  const attempt = authenticator("password");
  await failTenTimes(attempt);
  expect(await attempt(`Bearer ${SECRET}`)).toBe("too_many_failed_attempts 300");
  vi.advanceTimersByTime(300_000);
  expect(await attempt(`Bearer ${SECRET}`)).toBe("operator");
});

test("missing and foreign credentials do not count, and are told so even during a lockout", async () => {
  const attempt = authenticator("password");
  for (let i = 0; i < 50; i++) await attempt(i % 2 ? undefined : "Basic abc");
  expect(await attempt(`Bearer ${SECRET}`)).toBe("operator");
  await failTenTimes(attempt);
  expect(await attempt(undefined)).toBe("invalid_api_key");
});

test("this machine is slowed and not locked out: 250 ms, doubling to 5 s", async () => {
  const attempt = authenticator("token");
  for (const ms of [250, 500, 1000, 2000, 4000, 5000, 5000]) {
    let answer: string | undefined;
    const waiting = attempt("Bearer wrong", LOCAL).then((code) => {
      answer = code;
    });
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(answer).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(answer).toBe("invalid_api_key");
  }
});

test("a minute without a failure makes this machine's delay short again", async () => {
  const attempt = authenticator("token");
  for (let i = 0; i < 4; i++) void attempt("Bearer wrong", LOCAL);
  await vi.advanceTimersByTimeAsync(60_001);
  const answer = attempt("Bearer wrong", LOCAL);
  await vi.advanceTimersByTimeAsync(250);
  expect(await answer).toBe("invalid_api_key");
});

test("at most four wait on this machine; the fifth is refused at once, a correct token is not", async () => {
  const attempt = authenticator("token");
  const waiting = Array.from({ length: 4 }, () => attempt("Bearer wrong", LOCAL));
  expect(await attempt("Bearer wrong", LOCAL)).toBe("too_many_failed_attempts 4");
  expect(await attempt(`Bearer ${SECRET}`, LOCAL)).toBe("operator");
  await vi.advanceTimersByTimeAsync(2000);
  expect(await Promise.all(waiting)).toEqual(Array(4).fill("invalid_api_key"));
  const next = attempt("Bearer wrong", LOCAL);
  await vi.advanceTimersByTimeAsync(4000);
  expect(await next).toBe("invalid_api_key");
});

test("while four wait on this machine a password is not compared: guessing in parallel gains nothing", async () => {
  const attempt = authenticator("password");
  for (let i = 0; i < 4; i++) void attempt("Bearer wrong", LOCAL);
  expect(await attempt(`Bearer ${SECRET}`, LOCAL)).toBe("too_many_failed_attempts 4");
  await vi.advanceTimersByTimeAsync(2000);
  expect(await attempt(`Bearer ${SECRET}`, LOCAL)).toBe("operator");
});

test("without exemptLoopback this machine is locked out like any other", async () => {
  const attempt = authenticator("token", SECRET, { ...RATE_LIMIT, exemptLoopback: false });
  for (let i = 0; i < 10; i++) expect(await attempt("Bearer wrong", LOCAL)).toBe("invalid_api_key");
  expect(await attempt("Bearer wrong", LOCAL)).toBe("too_many_failed_attempts 300");
});

test("a loopback address behind a proxy does not count as this machine", async () => {
  const attempt = authenticator("token");
  for (let i = 0; i < 10; i++) await attempt("Bearer wrong", { address: "127.0.0.1", local: false });
  expect(await attempt("Bearer wrong", { address: "127.0.0.1", local: false })).toBe("too_many_failed_attempts 300");
});

test("success starts no timer", async () => {
  await authenticator("token")(`Bearer ${SECRET}`, LOCAL);
  expect(vi.getTimerCount()).toBe(0);
});

test("mode none serves this machine and nobody else", async () => {
  const { authenticate } = createAuthenticator({
    current: () => ({ credentials: { mode: "none" }, keys: createKeyRing([]) }),
    rateLimit: RATE_LIMIT,
  });
  expect(await authenticate({ authorization: undefined, ...LOCAL })).toMatchObject({ owner: "local" });
  await expect(authenticate({ authorization: "Bearer x", ...REMOTE })).rejects.toMatchObject({
    code: "invalid_api_key",
    status: 401,
    message: expect.stringContaining("only this machine"),
  });
});

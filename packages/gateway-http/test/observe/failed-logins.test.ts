import { expect, test } from "vitest";
import { AuthError } from "../../src/auth/auth-error.ts";
import { OPERATOR } from "../../src/auth/caller.ts";
import { tellFailures } from "../../src/auth/tell-failures.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";

function setUp() {
  let time = 0;
  let error: Error = new AuthError("wrong", "Wrong token.");
  const lines: object[] = [];
  const counts: Record<string, number> = {};
  const { authenticate } = tellFailures(
    { authenticate: () => Promise.reject(error), recheck: () => OPERATOR },
    {
      count: (reason) => {
        counts[reason] = (counts[reason] ?? 0) + 1;
      },
      warn: (line) => lines.push(line),
      now: () => time,
    },
  );
  const attempt = async (address: string) =>
    expect(
      authenticate({
        authorization: "Bearer secret",
        address,
        local: false,
        requestId: "r",
        proxyUser: () => ({ refusal: "" }),
      }),
    ).rejects.toBe(error);
  return {
    lines,
    counts,
    attempt,
    fail: (next: Error) => {
      error = next;
    },
    pass: (ms: number) => {
      time += ms;
    },
  };
}

test("an address fills no disk, nor does another of its network; after a minute it is heard of again", async () => {
  const { lines, counts, attempt, pass } = setUp();
  for (let index = 0; index < 50; index++) await attempt(`2001:db8::${index.toString(16)}`);
  expect(lines).toHaveLength(10);
  expect(counts).toEqual({ wrong: 50 });
  pass(60_000);
  await attempt("2001:db8::1");
  expect(lines.slice(10)).toEqual([{ untold: 40 }, { reason: "wrong", address: "2001:db8::1", requestId: "r" }]);
});

test("many addresses fill none either", async () => {
  const { lines, counts, attempt, pass } = setUp();
  for (let index = 0; index < 1000; index++) await attempt(`10.0.${index >> 8}.${index & 255}`);
  expect(lines).toHaveLength(100);
  pass(60_000);
  await attempt("10.1.1.1");
  expect(lines[100]).toEqual({ untold: 900 });
  expect(counts).toEqual({ wrong: 1001 });
});

test("a lockout is told once, one without credentials and what is no login never", async () => {
  const { lines, counts, attempt, fail } = setUp();
  fail(new AuthError("missing", "No credentials."));
  await attempt("10.0.0.1");
  fail(new GatewayError("internal_error", "A bug."));
  await attempt("10.0.0.1");
  fail(new AuthError("locked_out", "Too many."));
  for (let index = 0; index < 5; index++) await attempt("10.0.0.1");
  await attempt("10.0.0.2");
  expect(lines).toEqual([
    { reason: "locked_out", address: "10.0.0.1", requestId: "r" },
    { reason: "locked_out", address: "10.0.0.2", requestId: "r" },
  ]);
  expect(counts).toEqual({ missing: 1, locked_out: 6 });
});

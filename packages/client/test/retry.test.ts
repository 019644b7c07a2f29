import { getEventListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { APIError, type OpenClawError } from "../src/index.ts";
import { isRetryable, parseRetryAfter, retryDelay } from "../src/retry.ts";
import { failureOf, hi, makeClient, scripted } from "./support/client.ts";
import { error } from "./support/wire.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  expect(vi.getTimerCount(), "every timer was cleared").toBe(0);
  vi.useRealTimers();
});

const refused = (status: number, headers: Record<string, string> = {}, body: object = error("moon_phase")) =>
  Response.json(body, { status, headers });
const ok = Response.json({ id: "chatcmpl-1" });

test.each([
  [408, true],
  [409, true],
  [429, true],
  [500, true],
  [502, true],
  [503, true],
  [504, true],
  [599, true],
  [400, false],
  [401, false],
  [403, false],
  [404, false],
  [405, false],
  [413, false],
  [422, false],
  [304, false],
])("a %i is sent again: %j; unless the answer says otherwise", async (status, again) => {
  for (const [headers, expected] of [
    [{}, again],
    [{ "x-should-retry": "true" }, true],
    [{ "x-should-retry": "false" }, false],
    [{ "x-should-retry": "perhaps" }, again],
  ] as const) {
    const answer = status === 304 ? () => new Response(null, { status, headers }) : refused(status, headers);
    const { create, requests } = scripted(answer, ok);
    const outcome = create().catch((failure: APIError) => failure.status);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toEqual(expected ? { id: "chatcmpl-1" } : status);
    expect(requests).toHaveLength(expected ? 2 : 1);
  }
});

test.each([
  ["internal_error", 500, false],
  ["run_timeout", 504, false],
  ["idempotency_key_conflict", 409, false],
  ["provider_auth", 502, false],
  ["session_busy", 409, true],
  ["provider_error", 502, true],
  ["invalid_value", 400, false],
])("without its header, %s (%i) is sent again as its code says: %j", (code, status, again) => {
  expect(isRetryable(new APIError("no", { status, code }))).toBe(again);
  const headers = new Headers({ "x-should-retry": String(!again) });
  expect(isRetryable(new APIError("no", { status, code, headers }))).toBe(!again);
});

test("retries stop after maxRetries, and the last error is thrown", async () => {
  for (const maxRetries of [0, 1, 5]) {
    const { client, requests } = scripted(refused(503));
    const failure = failureOf(client.chat.completions.create(hi, { maxRetries }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await failure).toMatchObject({ status: 503 });
    expect(requests).toHaveLength(maxRetries + 1);
  }
});

test("a connection that fails is tried again with the same body", async () => {
  const { create, requests } = scripted(new TypeError("fetch failed"), new TypeError("fetch failed"), ok);
  const answer = create();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await answer).toEqual({ id: "chatcmpl-1" });
  expect(new Set(requests.map(({ init }) => init.body))).toEqual(new Set([JSON.stringify(hi)]));
  expect(requests).toHaveLength(3);
});

test("an attempt that times out is ended and tried again", async () => {
  const signals: AbortSignal[] = [];
  const client = makeClient({
    timeout: 100,
    maxRetries: 1,
    fetch: (_, { signal }) => {
      signals.push(signal as AbortSignal);
      return new Promise(() => {});
    },
  });
  const failure = failureOf(client.models.list());
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await failure).toMatchObject({ name: "TimeoutError", message: "No whole answer within 100 ms." });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

test("an error whose body never ends times out", async () => {
  const client = makeClient({
    timeout: 100,
    maxRetries: 0,
    fetch: async () => new Response(new ReadableStream(), { status: 500 }),
  });
  const failure = failureOf(client.models.list());
  await vi.advanceTimersByTimeAsync(100);
  expect(await failure).toMatchObject({ name: "TimeoutError" });
});

test("an answer whose body never ends times out, and is asked for again where that is safe", async () => {
  let asked = 0;
  const client = makeClient({
    timeout: 100,
    maxRetries: 1,
    fetch: async () => {
      asked++;
      return new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array([123])) }), {
        headers: { "content-type": "application/json" },
      });
    },
  });
  const failure = failureOf(client.models.list());
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await failure).toMatchObject({ name: "TimeoutError", message: "No whole answer within 100 ms." });
  expect(asked).toBe(2);
});

test("an error whose body has no end is read for 64 KiB", async () => {
  let pieces = 0;
  let isCancelled = false;
  const body = new ReadableStream({
    pull: (controller) => {
      if (++pieces > 1_000) return controller.close();
      controller.enqueue(new Uint8Array(1024).fill(120));
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  const client = makeClient({ maxRetries: 0, fetch: async () => new Response(body, { status: 500 }) });
  expect(await failureOf(client.models.list())).toMatchObject({ message: `HTTP 500: ${"x".repeat(200)}` });
  expect(isCancelled).toBe(true);
  expect(pieces).toBeLessThan(70);
});

test("without a limit there is no timer", async () => {
  const { client } = scripted(() => {
    expect(vi.getTimerCount()).toBe(0);
    return ok.clone();
  });
  await client.models.list({ timeout: Number.POSITIVE_INFINITY });
});

test("an abort ends the wait between two attempts at once and lets go of the signal", async () => {
  const { client, requests } = scripted(refused(429, { "retry-after": "50" }));
  const controller = new AbortController();
  const failure = failureOf(client.chat.completions.create(hi, { signal: controller.signal }));
  await vi.advanceTimersByTimeAsync(49_000);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  controller.abort("enough");
  expect(await failure).toMatchObject({ name: "AbortError", cause: "enough" });
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  expect(requests).toHaveLength(1);
});

test("a signal that outlives its requests is not held by them", async () => {
  const { client } = scripted(refused(503), refused(503), ok);
  const { signal } = new AbortController();
  const answer = client.chat.completions.create(hi, { signal });
  await vi.advanceTimersByTimeAsync(60_000);
  await answer;
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("waits double from half a second to eight, less up to a quarter by chance", () => {
  const failure = new TypeError();
  expect([0, 1, 2, 3, 4, 5, 2000].map((retry) => retryDelay(failure, retry, () => 0))).toEqual([
    500, 1000, 2000, 4000, 8000, 8000, 8000,
  ]);
  expect(retryDelay(failure, 0, () => 0.999_999)).toBeCloseTo(375, 2);
});

test.each<[Record<string, string>, number | undefined]>([
  [{}, undefined],
  [{ "retry-after": "3" }, 3],
  [{ "retry-after": "0" }, 0],
  [{ "retry-after": "1.5" }, 1.5],
  [{ "retry-after": "Sat, 21 Nov 2026 12:00:10 GMT" }, 10],
  [{ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }, 0],
  [{ "retry-after": "-1" }, undefined],
  [{ "retry-after": "soon" }, undefined],
  [{ "retry-after": "" }, undefined],
  [{ "retry-after-ms": "250" }, 0.25],
  [{ "retry-after-ms": "250", "retry-after": "3" }, 0.25],
  [{ "retry-after-ms": "x", "retry-after": "3" }, 3],
  [{ "retry-after-ms": "-5", "retry-after": "3" }, 3],
])("%j asks for %j seconds", (headers, seconds) => {
  expect(parseRetryAfter(new Headers(headers), Date.parse("2026-11-21T12:00:00Z"))).toBe(seconds);
});

test("a wait that was asked for is kept, up to a minute", () => {
  const asked = (retryAfter: number): OpenClawError => new APIError("no", { status: 429, retryAfter });
  expect(retryDelay(asked(3), 0)).toBe(3000);
  expect(retryDelay(asked(0), 0)).toBe(0);
  expect(retryDelay(asked(3600), 0)).toBe(60_000);
});

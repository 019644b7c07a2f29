import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Run } from "../../src/runs/run.ts";
import { RunBook } from "../../src/ws/run-book.ts";
import { collectGarbage } from "../support/garbage.ts";

const MINUTES_5 = 300_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(book: RunBook, id: string, owner = "ann"): Run {
  const run = new Run(id, 0, true);
  const session = { owner, key: "agent:main:s", agentId: "main" };
  book.add(run, { method: "agent", session, fingerprint: "", acceptedAt: Date.now() });
  return run;
}

async function finish(book: RunBook, id: string, { owner = "ann", text = "said" } = {}): Promise<void> {
  const run = begin(book, id, owner);
  void run.emit([{ type: "text-delta", text }]);
  run.end("stop");
  await run.result;
}

/** Lets what nobody holds any more be found gone. */
const turnOver = () => new Promise<void>((resolve) => setImmediate(resolve));

test("of a run that is over, how it ended is kept, and nothing else", async () => {
  const book = new RunBook();
  const cause = { said: "much" };
  async function runTwo(): Promise<WeakRef<object>[]> {
    const [good, bad] = [begin(book, "good"), begin(book, "bad")];
    void good.emit([{ type: "text-delta", text: "said" }]);
    good.end("stop");
    const error = new GatewayError("provider_rate_limited", "later", {
      cause: { ...cause },
      retry: true,
      retryAfter: 2,
    });
    bad.fail(error);
    await Promise.all([good.result, bad.result]);
    return [good, bad, error].map((some) => new WeakRef(some));
  }
  const refs = await runTwo();
  await turnOver();
  collectGarbage();
  expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
  expect(book.find("ann", "good")).toMatchObject({ runId: "good", ending: { status: "ok", text: "said" } });
  expect(book.find("ann", "bad")?.ending?.error).toEqual({
    ...{ code: "provider_rate_limited", message: "later", retryable: true, retryAfterMs: 2000 },
  });
});

test("how a run ended is known for five minutes, and then let go of by itself", async () => {
  const book = new RunBook();
  await finish(book, "first");
  vi.advanceTimersByTime(MINUTES_5 - 1);
  await finish(book, "second");
  const ended = new WeakRef(book.find("ann", "second") as object);
  expect(book.find("ann", "first")).toBeDefined();
  vi.advanceTimersByTime(1);
  expect(book.find("ann", "first")).toBeUndefined();
  expect(book.find("ann", "second")).toBeDefined();
  vi.advanceTimersByTime(MINUTES_5);
  expect(vi.getTimerCount()).toBe(0);
  await turnOver();
  collectGarbage();
  expect(ended.deref()).toBeUndefined();
});

test("nobody's many runs make another's be forgotten", async () => {
  const book = new RunBook();
  await finish(book, "mine", { owner: "bob" });
  for (let index = 0; index < 1500; index++) await finish(book, `${index}`);
  expect(book.find("bob", "mine")).toBeDefined();
  expect([book.find("ann", "499"), book.find("ann", "500")?.runId]).toEqual([undefined, "500"]);
  const text = "x".repeat(4 * 1024 * 1024);
  for (let index = 0; index < 20; index++) await finish(book, `long-${index}`, { text });
  expect(book.find("bob", "mine")).toBeDefined();
  const kept = Array.from({ length: 20 }, (_, index) => book.find("ann", `long-${index}`)).filter(Boolean);
  expect(kept.map((run) => run?.runId)).toEqual([..."3456789"].map((digit) => `long-1${digit}`));
});

test("a run under way is never forgotten", async () => {
  const book = new RunBook();
  const run = begin(book, "slow");
  for (let index = 0; index < 1001; index++) await finish(book, `${index}`);
  vi.advanceTimersByTime(MINUTES_5 + 1);
  expect(book.find("ann", "slow")?.ending).toBeUndefined();
  expect(book.find("bob", "slow")).toBeUndefined();
  run.end("stop");
  await run.result;
  expect(book.find("ann", "slow")?.ending?.status).toBe("ok");
});

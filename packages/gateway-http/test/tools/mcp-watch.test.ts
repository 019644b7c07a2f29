import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@modelcontextprotocol/client";
import { expect, test, vi } from "vitest";
import { watchTools } from "../../src/tools/mcp/watch-tools.ts";

vi.mock("node:timers/promises", () => ({ setTimeout: vi.fn(async () => {}) }));

test("a server that ends its stream for news at once is listened to less and less often", async () => {
  let listens = 0;
  const subscription = { closed: Promise.resolve() };
  const client = {
    autoOpenedSubscription: subscription,
    getServerCapabilities: () => ({}),
    async listen() {
      listens += 1;
      return subscription;
    },
  } as unknown as Client;
  const isOpen = () => listens < 8;
  const watch = watchTools({ client, isOpen, onTools: () => {}, onFailure: () => {} });
  await watch.listen();
  const pauses = vi.mocked(delay).mock.calls.flatMap(([ms = 0]) => (Number.isInteger(ms) && ms >= 1000 ? [ms] : []));
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("what changed while nobody listened is looked at once somebody does again", async () => {
  let looks = 0;
  const client = {
    autoOpenedSubscription: { closed: Promise.resolve() },
    getServerCapabilities: () => ({ tools: {} }),
    async request() {
      looks += 1;
      return { tools: [] };
    },
    listen: async () => ({ closed: new Promise(() => {}) }),
  } as unknown as Client;
  const watch = watchTools({ client, isOpen: () => true, onTools: () => {}, onFailure: () => {} });
  void watch.listen();
  // When the stream ended, and when there was another.
  await expect.poll(() => looks).toBe(2);
});

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSocket, type WatchedSession } from "../../src/socket/index.ts";
import { TOKEN } from "../support/client.ts";
import { fakeGateway } from "../support/fake-gateway.ts";
import { settle } from "../support/fake-socket.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ say: fc.string({ maxLength: 4 }) }) },
  { weight: 6, arbitrary: fc.record({ deliver: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 2500 }) }) },
  { weight: 3, arbitrary: fc.record({ drop: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ cut: fc.boolean() }) },
);
const end = fc.constantFrom("final", "aborted", "error");

test("whatever is cut or lost, wherever: a run has each piece once, and a watch what there is", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: "max" }),
      end,
      fc.nat(40),
      fc.nat(6),
      async (steps, state, endAt, begun) => {
        vi.clearAllTimers();
        const gateway = fakeGateway();
        const socket = createSocket({
          ...{ baseUrl: "http://gateway.test", token: TOKEN, WebSocket: gateway.WebSocket },
          timeout: 3_600_000,
        });
        let shown: WatchedSession | undefined;
        let shrunk = false;
        socket.watch("main", (session) => {
          const [{ running }, before] = [session, shown?.running];
          if (running && running.runId === before?.runId) shrunk ||= !running.text.startsWith(before.text);
          shown = session;
        });
        const pieces: string[] = [];
        const outcome = socket.send({ sessionKey: "main", message: "hi", idempotencyKey: "mine" }).then(async (run) => {
          for await (const piece of run) pieces.push(piece);
          return run.done();
        });
        const settled = outcome.then(
          ({ text }) => text,
          (error: Error) => error.name,
        );
        for (let frames = 0; frames < begun; frames++) {
          await settle();
          gateway.deliver(1);
        }
        for (const [at, what] of steps.entries()) {
          await settle();
          if (at === endAt % steps.length) gateway.end(state);
          if ("say" in what) gateway.say(what.say);
          else if ("deliver" in what) gateway.deliver(what.deliver);
          else if ("wait" in what) await settle(what.wait);
          else if ("drop" in what) gateway.drop(what.drop);
          else {
            gateway.refusing = what.cut;
            gateway.cut();
          }
        }
        gateway.refusing = false;
        gateway.flow();
        // What was dropped last shows with the next event.
        await settle(70_000);
        gateway.end(state);
        gateway.say("");
        gateway.tick();
        await settle(70_000);
        expect(await settled).toBe({ final: gateway.text, aborted: "AbortError", error: "RunError" }[state]);
        expect(pieces.join("")).toBe(gateway.text);
        expect(gateway.starts).toBe(1);
        expect(shrunk).toBe(false);
        expect(shown).toMatchObject({ isLive: true, running: undefined, messages: gateway.messages });
        socket.close();
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);

import fc from "fast-check";
import { expect, test } from "vitest";
import { stepper } from "../support/agents.ts";
import { authWith, tokenOf } from "../support/keys.ts";
import { ALL_SCOPES, connectSocket, type SocketClient } from "../support/socket-client.ts";
import { Referee } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

const CAPS = [[], ["tool-events"], ["session-scoped-events"], ["tool-events", "session-scoped-events"]];
const ASKS = ["chat.history", "sessions.messages.subscribe", "sessions.messages.unsubscribe", "sessions.subscribe"];

type Step =
  | { do: "join"; isOwner: boolean; caps: string[] }
  | { do: "leave"; who: number }
  | { do: "ask"; who: number; method: string }
  | { do: "say"; text: string };

const stepArb: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("join" as const), isOwner: fc.boolean(), caps: fc.constantFrom(...CAPS) }),
  fc.record({ do: fc.constant("leave" as const), who: fc.nat(7) }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("ask" as const), who: fc.nat(7), method: fc.constantFrom(...ASKS) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("say" as const), text: fc.string({ minLength: 1, unit: "grapheme" }) }),
  },
);

/** Those who were there to the end, with what each was told. */
async function play(steps: readonly Step[]) {
  const { agent, say, end, started } = stepper();
  const { url, gateway } = await startGateway({
    agents: [agent],
    config: { gateway: { auth: authWith({ ann: {} }) } },
  });
  const join = (token: string, caps: string[] = []) => connectSocket(url, { token, caps, scopes: ALL_SCOPES });
  const ann = await join(tokenOf("ann"));
  const clients: SocketClient[] = [];
  const all = [ann];
  const sure = new Set<SocketClient>();
  await ann.request("chat.send", { sessionKey: "s", message: "hi", idempotencyKey: "r1" });
  await started;
  let said = "";
  for (const step of steps) {
    const who = "who" in step ? clients[step.who % Math.max(clients.length, 1)] : undefined;
    if (step.do === "join") {
      const client = await join(step.isOwner ? tokenOf("ann") : TOKEN, step.caps);
      clients.push(client);
      if (step.isOwner && !step.caps.includes("session-scoped-events")) sure.add(client);
      all.push(client);
    } else if (step.do === "say") {
      said += step.text;
      say(step.text);
      // A word reaches those who are there before the next thing happens, or not: both are in order.
      await ann.request("health");
    } else if (step.do === "leave" && who) {
      clients.splice(clients.indexOf(who), 1);
      await who.close();
    } else if (step.do === "ask" && who) {
      await who.request(step.method, { key: "s", sessionKey: "s" });
    }
  }
  end();
  await ann.untilEvent("chat", ({ state }) => state === "final");
  await ann.request("agent.wait", { runId: "r1" });
  for (const client of clients) {
    // These hear of it whatever they did.
    if (sure.has(client)) await client.untilEvent("chat", ({ state }) => state === "final");
    else await client.request("health");
  }
  await gateway.close({ drainTimeoutMs: 0 });
  return { all, said };
}

test("whoever comes, goes or looks closer in the midst of a run hears it in order, once, and to its one end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArb, { minLength: 5, maxLength: 25 }), async (steps) => {
      const { all, said } = await play(steps);
      for (const client of all) {
        const referee = new Referee();
        for (const frame of client.frames.slice(2)) if (frame.type === "event") referee.received(frame);
        expect(referee.faults).toEqual([]);
        const final = client.payloads("chat").find(({ state }) => state === "final");
        if (final && said) expect(final.message.content[0].text).toBe(said);
      }
      const end = all[0]?.payloads("chat").filter(({ state }) => state !== "delta");
      expect(end).toHaveLength(1);
    }),
    { numRuns: 12 },
  );
}, 60_000);

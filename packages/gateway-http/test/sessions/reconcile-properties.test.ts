import fc from "fast-check";
import { expect, test } from "vitest";
import type { TurnMessage } from "../../src/chat/turn.ts";
import type { Entry } from "../../src/sessions/entry.ts";
import { reconcile } from "../../src/sessions/reconcile.ts";
import { Transcript } from "../../src/sessions/transcript.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { chunk } from "../support/stand-in-provider.ts";
import { type Act, type Ask, type Fate, SimulatedClient } from "./simulated-client.ts";

const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>({ kind: "whole" }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), after: fc.integer({ min: 12, max: 18 }) }) },
  { weight: 1, arbitrary: fc.constant<Fate>({ kind: "failed" }) },
);
const at = fc.nat(20);
const say = fc.record({ do: fc.constant("say" as const), fate, decorated: fc.boolean(), trim: fc.constant(0) });
const trimmed = fc.record({ do: fc.constant("say" as const), fate, decorated: fc.boolean(), trim: fc.nat(8) });
const regenerate = fc.record({ do: fc.constant("regenerate" as const), fate });
const editQuestion = fc.record({ do: fc.constant("edit-question" as const), at, fate });
const editAnswer = fc.record({ do: fc.constant("edit-answer" as const), at });
const switchBranch = fc.record({ do: fc.constant("switch" as const), to: at });
const sideTask = fc.constant<Act>({ do: "side-task" });
const sayOnly = fc.record({ do: fc.constant("say-only" as const), fate, again: fc.boolean() });

/** What happens in a chat that sends its whole talk, under its own id. */
const chatActs = fc.array(fc.oneof(say, trimmed, regenerate, editQuestion, editAnswer, switchBranch, sideTask), {
  maxLength: 25,
});
/** A session in which some requests carry the talk and some only what is new. */
const mixedActs = fc.array(fc.oneof(say, sayOnly, sayOnly, regenerate, editQuestion, switchBranch), { maxLength: 25 });

/** The run path without anything that is slow: place, keep, answer, keep. */
function inMemory(isChat: boolean): Ask {
  const transcript = new Transcript({ agent: "main", title: null, settings: {}, createdAt: 0, updatedAt: 0 });
  let count = 0;
  return async (sent, how) => {
    const place = reconcile(sent, transcript, { isChat });
    const keep = (messages: { message: TurnMessage; hidden?: boolean; aborted?: boolean }[], parent: string | null) => {
      const entries: Entry[] = [];
      for (const item of messages) {
        entries.push({ id: `${++count}`, parent: entries.at(-1)?.id ?? parent, runId: "r", at: count, ...item });
      }
      return entries;
    };
    const asked = keep(place.fresh, place.parent);
    transcript.add({ entries: asked, carriesHistory: place.carriesHistory });
    const whole = `answer ${++count}. And so on.`;
    const answer = how.kind === "whole" ? whole : how.kind === "cut" ? whole.slice(0, how.after) : "";
    if (answer === "") return { seen: place.talk, answer, steps: [] };
    const steps: TurnMessage[] = count % 2 ? [] : [{ role: "assistant", content: `step ${count}` }];
    const answered = keep(
      [
        ...steps.map((message) => ({ message, hidden: true })),
        { message: { role: "assistant", content: answer }, ...(how.kind === "cut" && { aborted: true }) },
      ],
      asked.at(-1)?.id ?? place.parent,
    );
    const head = answered.at(-1)?.id as string;
    transcript.add({ entries: answered, carriesHistory: place.carriesHistory, ...(!place.aside && { head }) });
    return { seen: place.talk, answer, steps };
  };
}

async function runs(acts: readonly Act[], ask: Ask, isChat: boolean): Promise<void> {
  const client = new SimulatedClient(ask, isChat);
  for (const act of acts) {
    await client.act(act);
    const { seen, expected } = client.checks.at(-1) ?? { seen: [], expected: [] };
    expect(seen).toEqual(expected);
  }
}

test("whatever a chat page does, the model sees the talk as it is sent, and its own steps", async () => {
  await fc.assert(
    fc.asyncProperty(chatActs, (acts) => runs(acts, inMemory(true), true)),
    { numRuns: 1500 },
  );
});

test("whoever says only what is new, now and then, goes on where the last answer was", async () => {
  await fc.assert(
    fc.asyncProperty(mixedActs, (acts) => runs(acts, inMemory(false), false)),
    { numRuns: 1500 },
  );
});

test("where every message looks like many others, the model still sees what was sent", () => {
  const few = fc.constantFrom("ok", "ok ", "no", "");
  const message = fc.oneof(
    fc.record({ role: fc.constant("user" as const), content: few }),
    fc.record({ role: fc.constant("assistant" as const), content: few }),
  );
  const requests = fc.array(fc.array(message, { minLength: 1, maxLength: 6 }), { maxLength: 30 });
  fc.assert(
    fc.property(requests, (sent) => {
      const transcript = new Transcript({ agent: "main", title: null, settings: {}, createdAt: 0, updatedAt: 0 });
      let count = 0;
      for (const talk of sent) {
        const { talk: seen, fresh, parent } = reconcile(talk, transcript, { isChat: true });
        expect(seen).toEqual(talk);
        let above = parent;
        for (const item of [...fresh, { message: { role: "assistant", content: "ok" } as const }]) {
          const id = `${++count}`;
          transcript.add({ entries: [{ id, parent: above, message: item.message, runId: "r", at: count }], head: id });
          above = id;
        }
      }
    }),
    { numRuns: 500 },
  );
});

/** The same over HTTP: what counts is what a provider is sent. */
async function overHttp(headers: Record<string, string>): Promise<Ask> {
  let how: Fate = { kind: "whole" };
  let count = 0;
  let answer = "";
  const { provider, request } = await startWithProvider({
    script: async (exchange) => {
      const whole = `answer ${++count}. And so on.`;
      answer = how.kind === "whole" ? whole : how.kind === "cut" ? whole.slice(0, how.after) : "";
      if (how.kind === "failed") return exchange.answer(400, { error: { message: "no" } });
      exchange.open();
      await exchange.event(chunk({ role: "assistant", content: answer }));
      if (how.kind === "cut") return exchange.destroy();
      exchange.finish();
    },
  });
  return async (messages, next) => {
    how = next;
    const response = await request("/v1/chat/completions", { body: { messages, stream: true }, headers });
    await response.text();
    const seen = provider.exchanges.at(-1)?.json.messages as TurnMessage[];
    return { seen, answer, steps: [] };
  };
}

test("a provider is sent the same over HTTP, from a chat page", async () => {
  let chat = 0;
  await fc.assert(
    fc.asyncProperty(chatActs, async (acts) => {
      const ask = await overHttp({ "x-openwebui-chat-id": `chat-${++chat}` });
      await runs(acts, ask, true);
    }),
    { numRuns: 15 },
  );
}, 60_000);

test("a provider is sent the same over HTTP, from whoever says only what is new", async () => {
  let session = 0;
  await fc.assert(
    fc.asyncProperty(mixedActs, async (acts) => {
      const ask = await overHttp({ "x-openclaw-session-key": `session-${++session}` });
      await runs(acts, ask, false);
    }),
    { numRuns: 15 },
  );
}, 60_000);

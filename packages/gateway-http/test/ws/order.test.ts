import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, expect, test, vi } from "vitest";
import { agentOf } from "../support/agents.ts";
import { connectSocket, type SocketClient } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

/** Lets a session be looked up again, once its first answer is kept and could have been told. */
let held = Promise.withResolvers<void>();
beforeEach(() => {
  held = Promise.withResolvers();
});

vi.mock("../../src/create-stores.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../src/create-stores.ts")>();
  const createStores: typeof original.createStores = (config, folder) => {
    const { sessions, completions } = original.createStores(config, folder);
    const busy: typeof sessions = {
      ...sessions,
      async find(session) {
        await held.promise;
        return sessions.find(session);
      },
      async append(session, addition) {
        const isKept = await sessions.append(session, addition);
        if (addition.entries.at(-1)?.message.role === "assistant") void release();
        return isKept;
      },
    };
    return { sessions: busy, completions };
  };
  return { ...original, createStores };
});

async function release(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn();
  held.resolve();
}

const STORY = [
  ...["started", "message user", "changed start", "lifecycle start", "text"],
  ...["message assistant", "lifecycle end", "chat final", "changed end"],
].join(", ");

/** What was told of each run, text in pieces as one. */
function storiesOf({ frames }: SocketClient): string[] {
  const stories = new Map<string, string[]>();
  for (const frame of frames) {
    // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
    const { type, event, payload = {} } = frame as any;
    const runId = payload.runId ?? payload.message?.__openclaw.runId;
    let word: string | undefined;
    if (type === "res") word = payload.status;
    else if (event === "agent") word = payload.stream === "assistant" ? "text" : `lifecycle ${payload.data.phase}`;
    else if (event === "chat") word = payload.state === "delta" ? "text" : `chat ${payload.state}`;
    else if (event === "session.message") word = `message ${payload.message.role}`;
    else if (event === "sessions.changed" && payload.phase) word = `changed ${payload.phase}`;
    if (!word || !runId) continue;
    const story = stories.get(runId) ?? [];
    stories.set(runId, story);
    if (story.at(-1) !== word) story.push(word);
  }
  return Array.from(stories.values(), (story) => story.join(", "));
}

test.each(["memory", "sqlite"] as const)("runs are told in order while a store in %s is busy", async (store) => {
  const agent = agentOf(async function* () {
    yield "a";
    yield "b";
    await Promise.resolve();
    yield "c";
  });
  const { url } = await startGateway({ store, agents: [agent] });
  const client = await connectSocket(url, { token: TOKEN });
  await client.request("sessions.subscribe");
  const ids = ["r1", "r2", "r3"];
  for (const id of ids) {
    client.send({
      ...{ type: "req", id, method: "chat.send" },
      params: { sessionKey: `s${id}`, message: "hi", idempotencyKey: id },
    });
  }
  for (const id of ids) {
    await client.untilEvent("sessions.changed", ({ runId, phase }) => runId === id && phase === "end");
  }
  expect(storiesOf(client)).toEqual(ids.map(() => STORY));
});

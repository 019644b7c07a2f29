import {
  createSessionProjection,
  type EventFrame,
  getGatewaySessionMessageSubscriptionCoordinator,
  reduceSessionProjection,
  reduceSessionProjectionRunEvent,
  type SessionProjectionState,
} from "@openclaw/gateway-client/browser";
import { expect, test } from "vitest";
import { obedient } from "../support/obedient.ts";
import { tapSocket } from "../support/socket-tap.ts";
import { startGateway } from "../support/start-gateway.ts";
import { dialAsBrowser } from "./gateway-clients.ts";

const KEY = "agent:main:s";
const say = (message: string, idempotencyKey: string) => ({ sessionKey: "s", message, idempotencyKey });

async function start() {
  const told = obedient();
  const { url } = await startGateway({ agents: [told.agent] });
  const tap = await tapSocket(url);
  return { ...told, tap, ...(await dialAsBrowser(tap.url)) };
}

/** What the package's own reducers make of events. */
function project(state: SessionProjectionState, { event, payload }: EventFrame): SessionProjectionState {
  // biome-ignore lint/suspicious/noExplicitAny: the reducers take it as it comes.
  const about = payload as any;
  if (event === "chat") return reduceSessionProjectionRunEvent(state, about)?.projection ?? state;
  if (event !== "session.message") return state;
  const { message, messageId, messageSeq } = about;
  return reduceSessionProjection(state, { type: "messagePersisted", message, messageId, messageSeq });
}

const talkOf = ({ messages }: SessionProjectionState) =>
  messages.map((message) => {
    const { role, content } = message as { role: string; content: string | { text: string }[] };
    return `${role}: ${typeof content === "string" ? content : content[0]?.text}`;
  });

test("it shakes hands over a browser's WebSocket, and talks", async () => {
  const { client, heard, hello } = await start();
  expect(hello).toMatchObject({ protocol: 4, snapshot: { sessionDefaults: { mainSessionKey: "agent:main:main" } } });
  expect(await client.request("health")).toMatchObject({ ok: true });
  await client.request("chat.send", say("hi", "r1"));
  expect((await heard.run("r1")).text).toBe("re: hi");
  expect(heard.gaps).toEqual([]);
});

test("its view of a session is the session: nothing twice, nothing lost, live and read again", async () => {
  const { client, heard, begun, go } = await start();
  const subscription = await getGatewaySessionMessageSubscriptionCoordinator(client).acquire("s");
  expect(subscription.key).toBe(KEY);
  let state = createSessionProjection({ sessionKey: KEY });
  const mine = { role: "user", content: "wait", timestamp: 1, idempotencyKey: "r1:user" };
  state = reduceSessionProjection(state, { type: "sendPending", message: mine, runId: "r1", idempotencyKey: "r1" });
  await client.request("chat.send", say("wait", "r1"));
  state = reduceSessionProjection(state, { type: "sendAcknowledged", runId: "r1", idempotencyKey: "r1" });
  await begun("r1");
  await heard.until("chat", ({ state }) => state === "delta");
  for (const event of heard.events) state = project(state, event);
  expect([talkOf(state), state.runs.r1?.status]).toEqual([["user: wait"], "streaming"]);

  const before = heard.events.length;
  go("r1");
  await heard.run("r1");
  for (const event of heard.events.slice(before)) state = project(state, event);
  const talk = ["user: wait", "assistant: so far and on"];
  expect([talkOf(state), state.runs.r1?.status]).toEqual([talk, "completed"]);

  const { messages } = await client.request<{ messages: unknown[] }>("chat.history", { sessionKey: "s" });
  expect(talkOf(reduceSessionProjection(state, { type: "snapshotLoaded", messages }))).toEqual(talk);
  expect(talkOf(createSessionProjection({ sessionKey: KEY }, messages))).toEqual(talk);
  await getGatewaySessionMessageSubscriptionCoordinator(client).release(subscription);
  expect(heard.gaps).toEqual([]);
});

test.each([
  ["is aborted", "wait", "aborted"],
  ["fails", "fail", "error"],
])(
  "a run that %s is in its view once, for who looks on, too, and for who comes in the midst of it",
  async (_what, message, status) => {
    const { client, heard, begun, tap } = await start();
    const other = await dialAsBrowser(tap.url);
    for (const each of [client, other.client]) await getGatewaySessionMessageSubscriptionCoordinator(each).acquire("s");
    await client.request("chat.send", say("hi", "r0"));
    await heard.until("session.message", ({ messageSeq }) => messageSeq === 2);
    const before = await client.request<{ messages: unknown[] }>("chat.history", { sessionKey: "s" });
    await client.request("chat.send", say(message, "r1"));
    await begun("r1");
    if (status === "aborted") {
      await heard.until("chat", ({ runId }) => runId === "r1");
      await client.request("chat.abort", { sessionKey: "s" });
    }
    const talk = ["user: hi", "assistant: re: hi", `user: ${message}`, "assistant: so far"];
    for (const each of [heard, other.heard]) {
      await each.until("chat", (chat) => chat.runId === "r1" && chat.state === status);
      await each.until("session.message", ({ messageSeq }) => messageSeq === 4);
      const live = each.events.reduce(project, createSessionProjection({ sessionKey: KEY }));
      expect([talkOf(live), live.runs.r1?.status]).toEqual([talk, status]);
      const read = each.events.reduce(project, createSessionProjection({ sessionKey: KEY }, before.messages));
      expect(talkOf(read)).toEqual(talk);
      const { messages } = await client.request<{ messages: unknown[] }>("chat.history", { sessionKey: "s" });
      expect(talkOf(reduceSessionProjection(read, { type: "snapshotLoaded", messages }))).toEqual(talk);
    }
  },
);

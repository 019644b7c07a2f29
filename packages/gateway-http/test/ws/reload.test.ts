import { expect, test } from "vitest";
import { BOBS_TOKEN, bob, configOf, startReloadable } from "../reload/reloadable.ts";
import { obedient } from "../support/obedient.ts";
import { connectSocket, Refused } from "../support/socket-client.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { TOKEN } from "../support/start-gateway.ts";

const say = (message: string, idempotencyKey: string, more: object = {}) => ({
  ...{ sessionKey: "s", message, idempotencyKey, ...more },
});
const GONE = { code: 4001, reason: "credentials invalidated" };

/** Bob, in the midst of a run, and an operator who looks on. */
async function start(more: object = {}) {
  const main = obedient();
  const poet = obedient({ id: "poet" });
  const door = await startReloadable(configOf({}, bob(more)), [main.agent, poet.agent]);
  const client = await connectWatched(door.url, { token: BOBS_TOKEN });
  const admin = await connectWatched(door.url, { token: TOKEN });
  await client.request("chat.send", say("wait", "r1"));
  await main.begun("r1");
  await admin.untilEvent("chat");
  return { ...main, ...door, client, admin };
}

test.each([
  ["is gone", []],
  ["has another token", [bob({ token: `${BOBS_TOKEN}-2` })]],
  ["has expired", [bob({ expiresAt: "2020-01-01T00:00:00Z" })]],
])("whoever came with a key that %s is let go, and nobody else", async (_what, keys) => {
  const { change, client, admin, url } = await start();
  await change(configOf({}, ...keys));
  expect(await client.closed).toEqual(GONE);
  expect(await admin.request("health")).toMatchObject({ ok: true });
  const refused = await connectSocket(url, { token: BOBS_TOKEN }).catch((error) => error);
  expect(refused).toBeInstanceOf(Refused);
  expect(refused.frame.error.details).toMatchObject({ code: "AUTH_TOKEN_MISMATCH" });
});

test("the runs of a key that is gone end, for those who look on, too", async () => {
  const { change, admin } = await start();
  await change(configOf({}));
  expect(await admin.untilEvent("chat", ({ state }) => state !== "delta")).toMatchObject({
    ...{ runId: "r1", state: "aborted", owner: "bob" },
  });
});

test("a key that may do less can do less from then on, and more again when it may", async () => {
  const { change, client, go } = await start();
  await change(configOf({}, bob({ scopes: ["chat"] })));
  expect(await client.ask("sessions.list")).toMatchObject({ error: { details: { missingScope: "sessions" } } });
  expect(await client.request("chat.send", say("hi", "r2"))).toMatchObject({ status: "started" });
  go("r1");
  await client.untilEvent("chat", ({ runId, state }) => runId === "r2" && state === "final");
  await change(configOf({}, bob({ agents: ["poet"] })));
  expect(await client.ask("chat.send", say("hi", "r3"))).toMatchObject({ error: { code: "FORBIDDEN" } });
  await change(configOf({}, bob()));
  expect(await client.request("sessions.list")).toMatchObject({ totalCount: 1 });
  expect(await client.request("chat.send", say("hi", "r4"))).toMatchObject({ status: "started" });
});

test("a key that may not look on any more hears nothing more of runs under way", async () => {
  const { change, client, admin, url, go } = await start();
  const looking = (scopes: string[]) => ({ id: "eve", token: "ock_eve_0123456789abcdef", scopes });
  await change(configOf({}, bob(), looking(["admin", "chat"])));
  const eve = await connectWatched(url, { token: "ock_eve_0123456789abcdef" });
  await client.request("chat.send", say("hi", "r0", { sessionKey: "t" }));
  await eve.untilEvent("chat", ({ runId, state }) => runId === "r0" && state === "final");
  await change(configOf({}, bob(), looking(["chat"])));
  expect(await eve.request("agent.wait", { runId: "r1", timeoutMs: 0 })).toEqual({ runId: "r1", status: "timeout" });
  const heard = eve.events.length;
  expect(heard).toBeGreaterThan(2);
  go("r1");
  for (const other of [admin, client]) {
    await other.untilEvent("chat", ({ runId, state }) => runId === "r1" && state === "final");
  }
  await eve.request("health");
  expect(eve.events.slice(heard)).toEqual([]);
});

test("a key that may not read sessions any more does not hear of them", async () => {
  const { change, client, go } = await start();
  await client.request("sessions.subscribe");
  await client.request("sessions.messages.subscribe", { key: "s" });
  await change(configOf({}, bob({ scopes: ["chat"] })));
  const before = client.frames.length;
  go("r1");
  await client.untilEvent("chat", ({ runId, state }) => runId === "r1" && state === "final");
  await client.request("chat.send", say("hi", "r2"));
  await client.untilEvent("chat", ({ runId, state }) => runId === "r2" && state === "final");
  const heard = client.frames.slice(before).flatMap((frame) => (frame.type === "event" ? [frame.event] : []));
  expect(new Set(heard)).toEqual(new Set(["agent", "chat"]));
  await change(configOf({}, bob()));
  await client.request("chat.send", say("hi", "r3"));
  await client.untilEvent("sessions.changed", ({ runId, phase }) => runId === "r3" && phase === "end");
  expect(client.payloads("session.message").at(-1)).toMatchObject({ message: { role: "assistant" } });
});

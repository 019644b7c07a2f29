import { expect, test } from "vitest";
import { OPERATOR } from "../../src/auth/caller.ts";
import { toEntry } from "../../src/sessions/to-entries.ts";
import { Transcript } from "../../src/sessions/transcript.ts";
import { Connection } from "../../src/ws/connection.ts";
import { Hub } from "../../src/ws/hub.ts";
import { createNews, type NewsOptions } from "../../src/ws/news.ts";
import { obedient } from "../support/obedient.ts";
import { ALL_SCOPES } from "../support/socket-client.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

test("whoever reads a session along hears that it was made, changed, reset and deleted, and not of its runs", async () => {
  const { agent } = obedient();
  const { url } = await startGateway({ agents: [agent] });
  const client = await connectWatched(url, { token: TOKEN });
  const [watching, other] = [await connectWatched(url, { token: TOKEN }), await connectWatched(url, { token: TOKEN })];
  await watching.request("sessions.messages.subscribe", { key: "s" });
  await other.request("sessions.messages.subscribe", { key: "t" });
  const run = async (idempotencyKey: string) => {
    client.send({
      ...{ type: "req", id: idempotencyKey, method: "agent" },
      params: { sessionKey: "s", message: "hi", idempotencyKey },
    });
    await client.until(({ id, payload }) => id === idempotencyKey && payload.status === "ok");
  };
  await client.request("sessions.create", { key: "s" });
  await run("r1");
  await client.request("sessions.patch", { key: "s", label: "Trip" });
  await client.request("sessions.reset", { key: "s" });
  await client.request("sessions.delete", { key: "s" });
  await watching.untilEvent("sessions.changed", ({ reason }) => reason === "delete");
  const changed = watching.payloads("sessions.changed");
  expect(changed.map(({ reason, phase }) => reason ?? phase)).toEqual(["create", "patch", "reset", "delete"]);
  await watching.request("sessions.messages.unsubscribe", { key: "s" });
  await client.request("sessions.create", { key: "s" });
  for (const one of [watching, other]) await one.request("health");
  expect(watching.payloads("sessions.changed")).toHaveLength(changed.length);
  expect(other.payloads("sessions.changed")).toEqual([]);
});

test("of a session that was deleted and made again meanwhile, nothing is told of what was added before", async () => {
  const fail = (error: unknown) => {
    throw error;
  };
  const hub = new Hub(fail);
  const texts: string[] = [];
  const wire = {
    ...{ OPEN: 1 as const, readyState: 1 as const, bufferedAmount: 0, isPaused: false },
    send: (text: string) => texts.push(text),
    ...{ close() {}, terminate() {}, pause() {}, resume() {} },
  };
  const connection = new Connection({ id: "one", wire, caller: OPERATOR, scopes: new Set(ALL_SCOPES), caps: [] });
  connection.hearsSessions = true;
  hub.add(connection);
  const entry = toEntry("r1", null, { message: { role: "user", content: "hi" } });
  const anew = new Transcript({ agent: "main", title: null, settings: {}, createdAt: 1, updatedAt: 1 });
  const kept = new Transcript(anew.meta);
  kept.add({ entries: [entry], head: entry.id });
  let now = kept;
  const news = createNews({
    ...{ hub, onBug: fail },
    sessions: { read: async () => now, find: async () => undefined },
    runs: { inSession: () => [][Symbol.iterator]() },
    current: () => ({ agents: { byId: () => undefined } }),
  } as unknown as NewsOptions);
  const session = { owner: OPERATOR.owner, key: "agent:main:s" };
  await news.appended(session, { agent: "main", entries: [entry] });
  expect(texts).toHaveLength(1);
  now = anew;
  await news.appended(session, { agent: "main", entries: [entry] });
  expect(texts).toHaveLength(1);
});

import { hash } from "node:crypto";
import { setImmediate as nextLoop } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { defineAgent } from "../../src/index.ts";
import { sayer, stepper } from "../support/agents.ts";
import { ask, hi, openRaw, readAnswer, readStream } from "../support/chat.ts";
import { PROVIDER_KEY } from "../support/provider-gateway.ts";
import { completion, startProvider } from "../support/stand-in-provider.ts";
import { byHand, SOON } from "../tools/start-tools.ts";
import { BOBS_TOKEN, bob, configOf, type Reloadable, startReloadable } from "./reloadable.ts";

/** Bob asks an agent that has said "on" and waits. */
async function startBobsStream(door: Reloadable, agent: ReturnType<typeof stepper>, headers = {}) {
  agent.say("on");
  const body = hi({ stream: true });
  const response = await door.request("/v1/chat/completions", { body, headers: { ...door.asBob, ...headers } });
  await agent.started;
  return response;
}

const REVOKED = { code: "run_aborted", message: "The key was revoked." };

test.each([
  ["is gone", []],
  ["has another token", [bob({ token: `${BOBS_TOKEN}-2` })]],
  ["may not chat any more", [bob({ scopes: ["models"] })]],
])("the runs of a key that %s end now, and nobody else's", async (_what, keys) => {
  const agent = stepper();
  const config = configOf({ gateway: { http: { commitAfterMs: 0 } } }, bob());
  const door = await startReloadable(config, [agent.agent]);
  const response = await startBobsStream(door, agent);
  const other = await door.request("/v1/chat/completions", { body: hi({ stream: true }) });
  await door.change(configOf({}, ...keys));
  const { error, text } = await readStream(response);
  expect({ error, text }).toEqual({ error: expect.objectContaining(REVOKED), text: "on" });
  expect(await agent.aborted).toMatchObject(REVOKED);
  expect(door.gateway.runs.active).toBe(1);
  // One of its two next steps waits for a run that is no more.
  for (let index = 0; index < 3; index++) agent.end();
  expect((await readStream(other)).finishReason).toBe("stop");
});

test("the runs of a key that lost their agent end now", async () => {
  const agent = stepper();
  const door = await startReloadable(configOf({}, bob()), [agent.agent]);
  const response = await startBobsStream(door, agent);
  await door.change(configOf({}, bob({ agents: ["another"] })));
  expect((await readStream(response)).error).toMatchObject({
    code: "run_aborted",
    message: "The key may not use this agent any more.",
  });
});

test("the runs of a user whom the proxy may not name any more end now", async () => {
  const agent = stepper();
  const allowing = (...allowUsers: string[]) =>
    configOf({
      gateway: {
        auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user", allowUsers } },
        trustedProxies: ["127.0.0.1"],
      },
    });
  const door = await startReloadable(allowing("ann", "eve"), [agent.agent]);
  agent.say("on");
  const response = await door.request("/v1/chat/completions", {
    body: hi({ stream: true }),
    headers: { "x-user": "eve" },
  });
  await door.change(allowing("ann", "eve", "bob"));
  expect(door.gateway.runs.active).toBe(1);
  await door.change(allowing("ann"));
  expect((await readStream(response)).error).toMatchObject({
    code: "run_aborted",
    message: "The user is not let in any more.",
  });
});

test("a run that waits for its session's lane ends too", async () => {
  const agent = stepper();
  const door = await startReloadable(configOf({}, bob()), [agent.agent]);
  const headers = { "x-openclaw-session-key": "one" };
  const response = await startBobsStream(door, agent, headers);
  const waiting = ask(door, hi(), { ...door.asBob, ...headers });
  while (door.gateway.runs.active < 2) await nextLoop();
  await door.change(configOf());
  expect((await readStream(response)).error).toMatchObject(REVOKED);
  expect((await waiting).json.error).toMatchObject(REVOKED);
});

test.each([
  ["stays as it is", bob()],
  ["has its hash instead", { id: "bob", tokenHash: bobsHash() }],
  ["has expired", bob({ expiresAt: "2020-01-01" })],
  ["may use this agent, by name", bob({ agents: ["main"] })],
  ["has other limits", bob({ limits: { concurrentRuns: 1 } })],
])("a run whose key %s ends well", async (_what, key) => {
  const agent = stepper();
  const door = await startReloadable(configOf({}, bob()), [agent.agent]);
  const response = await startBobsStream(door, agent);
  await door.change(configOf({}, key));
  agent.say(" and off");
  agent.end();
  expect(await readStream(response)).toMatchObject({ text: "on and off", error: undefined, finishReason: "stop" });
});

test("a stream of an agent that is gone, from a provider that is gone, is not disturbed", async () => {
  const provider = await startProvider();
  const door = await startReloadable(
    configOf({
      models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY } } },
      agents: { list: [{ id: "main", model: "stand/in" }] },
    }),
  );
  const client = openRaw(door, hi({ stream: true }));
  const exchange = (await provider.next()).open();
  await exchange.say("before");
  const response = await client.response;
  await door.change(configOf({ agents: { list: [{ id: "other", model: "demo" }] } }));
  expect((await ask(door, hi({ model: "openclaw:main" }))).status).toBe(404);
  await exchange.say(", after");
  exchange.finish();
  let raw = "";
  for await (const piece of response.setEncoding("utf8")) raw += piece;
  expect(readAnswer(raw)).toMatchObject({ text: "before, after", finishReason: "stop", error: undefined });
});

test("a run with tools asks its old provider again after the reload", async () => {
  const provider = await startProvider();
  const called = Promise.withResolvers<void>();
  const reloaded = Promise.withResolvers<void>();
  const models = { providers: { stand: { baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY } } };
  const agent = defineAgent({
    id: "main",
    tools: {
      wait: {
        description: "Waits",
        parameters: { type: "object" },
        schema: anything(),
        async run() {
          called.resolve();
          await reloaded.promise;
          return "waited";
        },
      },
    },
  });
  const door = await startReloadable(configOf({ models, agents: { defaults: { model: "stand/in" } } }), [agent]);
  const answer = ask(door);
  const first = await provider.next();
  const call = { id: "c1", type: "function", function: { name: "wait", arguments: "{}" } };
  first.answer(200, {
    choices: [{ index: 0, message: { role: "assistant", tool_calls: [call] }, finish_reason: "tool_calls" }],
  });
  await called.promise;
  await door.change(configOf());
  reloaded.resolve();
  const second = await provider.next();
  expect(second.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`);
  second.answer(200, {
    choices: [{ index: 0, message: { role: "assistant", content: "done" }, finish_reason: "stop" }],
  });
  expect((await answer).text).toBe("done");
});

test("a run under a key of its request's is told of it, also to who comes back", async () => {
  const agent = stepper();
  const door = await startReloadable(configOf({}, bob()), [agent.agent]);
  const headers = { "idempotency-key": "k1" };
  const response = await startBobsStream(door, agent, headers);
  await door.change(configOf());
  expect((await readStream(response)).error).toMatchObject(REVOKED);
  await door.change(configOf({}, bob()));
  const again = await door.request("/v1/chat/completions", {
    body: hi({ stream: true }),
    headers: { ...door.asBob, ...headers },
  });
  expect((await readStream(again)).error).toMatchObject(REVOKED);
});

test("secrets of the config before stay secret", async () => {
  const key = "sk-old-and-secret-0123456789";
  const provider = await startProvider();
  const using = (apiKey: string) =>
    configOf({
      models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey } } },
      agents: { defaults: { model: "stand/in" } },
    });
  const door = await startReloadable(using(key));
  await door.change(using("sk-new-0123456789"));
  const answer = ask(door);
  (await provider.next()).answer(400, { error: { message: `the body has ${key} and sk-new-0123456789 in it` } });
  const { json } = await answer;
  expect(json.error.message).toContain("the body has *** and *** in it");
});

test("an agent of the new config has the servers of the new config", async () => {
  const asked = async (door: Reloadable, model: string) => {
    const answer = ask(door, hi({ model }));
    const exchange = await provider.next();
    exchange.answer(200, completion("x"));
    await answer;
    return (exchange.json.tools as { function: { name: string } }[] | undefined)?.map((tool) => tool.function.name);
  };
  const provider = await startProvider();
  const models = { providers: { stand: { baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY } } };
  const agents = { defaults: { model: "stand/in" } };
  const door = await startReloadable(configOf({ models, agents }));
  expect(await asked(door, "openclaw")).toBeUndefined();
  await door.change(configOf({ models, agents, mcp: { servers: { new: byHand("pid") } } }));
  await vi.waitFor(async () => expect(await asked(door, "openclaw")).toEqual(["new__pid"]), SOON);
  await door.change(configOf({ models, agents }));
  expect(await asked(door, "openclaw")).toBeUndefined();
}, 60_000);

test("agents without a change answer as before while nothing is there to be done", async () => {
  const door = await startReloadable(configOf(), [sayer("x")]);
  expect(await door.change(configOf())).toEqual([]);
  expect((await ask(door)).text).toBe("x");
});

function bobsHash(): string {
  return `sha256:${hash("sha256", BOBS_TOKEN)}`;
}

/** A Standard Schema that takes anything. */
function anything() {
  return { "~standard": { version: 1 as const, vendor: "test", validate: (value: unknown) => ({ value }) } };
}

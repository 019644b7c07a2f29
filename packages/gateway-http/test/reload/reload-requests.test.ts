import { readdirSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { ConfigError, type ConfigInput, createGateway, defineAgent } from "../../src/index.ts";
import { sayer } from "../support/agents.ts";
import { ask, askStream, hi, openRaw, readAnswer } from "../support/chat.ts";
import { PROVIDER_KEY } from "../support/provider-gateway.ts";
import { exchange, readRaw } from "../support/raw-http.ts";
import { completion, startProvider } from "../support/stand-in-provider.ts";
import { TOKEN } from "../support/start-gateway.ts";
import { BOBS_TOKEN, bob, configOf, type Reloadable, startReloadable } from "./reloadable.ts";

async function models(door: Reloadable, headers = {}) {
  const response = await door.request("/v1/models", { headers });
  const { data, error } = (await response.json()) as {
    data?: { id: string; created: number }[];
    error?: { code: string };
  };
  return { ids: data?.map(({ id }) => id), created: data?.[0]?.created, code: error?.code };
}

const listed = (...ids: string[]) => ({ agents: { list: ids.map((id) => ({ id, model: "demo" })) } });

test("a key that is added works, one whose token is exchanged has the new one, one that is gone has none", async () => {
  const door = await startReloadable(configOf());
  expect((await models(door, door.asBob)).code).toBe("invalid_api_key");
  await door.change(configOf({}, bob()));
  expect((await models(door, door.asBob)).ids).toBeDefined();
  await door.change(configOf({}, bob({ token: `${BOBS_TOKEN}-2` })));
  expect((await models(door, door.asBob)).code).toBe("invalid_api_key");
  expect((await models(door, { authorization: `Bearer ${BOBS_TOKEN}-2` })).ids).toBeDefined();
  await door.change(configOf({}, bob({ scopes: ["chat"] })));
  expect((await models(door, door.asBob)).code).toBe("missing_scope");
  await door.change(configOf());
  expect((await models(door, door.asBob)).code).toBe("invalid_api_key");
});

test("an agent that is added is listed and answers, one that is gone is not there; created follows the file", async () => {
  const door = await startReloadable(configOf(listed("main")));
  await door.change(configOf(listed("main", "poet")), 1_770_000_000_999);
  expect(await models(door)).toMatchObject({ ids: expect.arrayContaining(["openclaw/poet"]), created: 1_770_000_000 });
  expect((await ask(door, hi({ model: "openclaw:poet" }))).status).toBe(200);
  expect(door.gateway.agents.map(({ id }) => id)).toEqual(["main", "poet"]);
  await door.change(configOf(listed("poet")));
  expect((await ask(door, hi({ model: "openclaw:main" }))).json.error.code).toBe("model_not_found");
  expect(door.gateway.defaultAgent.id).toBe("poet");
});

test("a provider's new address and key are those of the next request", async () => {
  const [first, second] = [await startProvider(), await startProvider()];
  for (const provider of [first, second]) {
    void provider.next().then((exchange) => exchange.answer(200, completion(provider === first ? "first" : "second")));
  }
  const using = ({ baseUrl }: typeof first, apiKey: string) =>
    configOf({ models: { providers: { stand: { baseUrl, apiKey } } }, agents: { defaults: { model: "stand/in" } } });
  const door = await startReloadable(using(first, PROVIDER_KEY));
  expect((await ask(door)).text).toBe("first");
  await door.change(using(second, "sk-another-0123456789"));
  expect((await ask(door)).text).toBe("second");
  expect(first.exchanges[0]?.headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`);
  expect(second.exchanges[0]?.headers.authorization).toBe("Bearer sk-another-0123456789");
});

test("agents of code stay, and are bound to the new models", async () => {
  const provider = await startProvider((exchange) => exchange.answer(200, completion("of the provider")));
  const withModel = (model: string) =>
    configOf({
      models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY } } },
      agents: { defaults: { model } },
    });
  const door = await startReloadable(withModel("demo"), [defineAgent({ id: "main", tools: {} }), sayerCalled("own")]);
  expect((await ask(door)).text).toContain("You said");
  await door.change(withModel("stand/in"));
  expect((await ask(door)).text).toBe("of the provider");
  expect((await ask(door, hi({ model: "openclaw:own" }))).text).toBe("own");
});

test("the endpoint's switch, hosts and limits apply to the next request", async () => {
  const door = await startReloadable(configOf(), [sayer("x")]);
  const askHost = async () => {
    const head = `GET /v1/models HTTP/1.1\r\nhost: a.example\r\nauthorization: Bearer ${TOKEN}\r\nconnection: close`;
    return readRaw(await exchange(door.port, `${head}\r\n\r\n`)).status;
  };
  expect(await askHost()).toBe(403);
  await door.change(configOf({ gateway: { http: { hosts: ["a.example"] } } }));
  expect(await askHost()).toBe(200);
  await door.change(configOf({ gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } }));
  expect((await ask(door)).json.error.code).toBe("endpoint_disabled");
  await door.change(configOf());
  expect((await ask(door)).text).toBe("x");
});

test("keepAliveMs and commitAfterMs are those of the next stream", async () => {
  const quiet = Promise.withResolvers<void>();
  const agent = defineAgent({
    id: "main",
    async *run() {
      await quiet.promise;
      yield "x";
    },
  });
  const door = await startReloadable(configOf(), [agent]);
  await door.change(configOf({ gateway: { http: { commitAfterMs: 0, keepAliveMs: 5 } } }));
  const client = openRaw(door, hi({ stream: true }));
  let raw = "";
  for await (const piece of (await client.response).setEncoding("utf8")) {
    raw += piece;
    if (raw.includes(": keep-alive")) quiet.resolve();
  }
  expect(readAnswer(raw)).toMatchObject({ text: "x", finishReason: "stop" });
});

test("the gateway's token is exchanged, and a session goes on", async () => {
  const door = await startReloadable(configOf(), [sayer("x")]);
  await door.change(configOf({ gateway: { auth: { token: "another-token-0123456789" } } }));
  expect((await ask(door)).status).toBe(401);
  expect((await ask(door, hi(), { authorization: "Bearer another-token-0123456789" })).status).toBe(200);
});

test("another mode needs a restart: until then the old one is in force, with its secret, and keys still come", async () => {
  const door = await startReloadable(configOf(), [sayer("x")]);
  const modes = [{ mode: "none" }, { mode: "password", password: "a new password" }] as const;
  for (const auth of modes) {
    const restart = await door.change(configOf({ gateway: { auth: { ...auth, token: undefined } } }, bob()));
    expect(restart).toEqual(["gateway.auth.mode"]);
    expect((await ask(door, hi(), { authorization: "" })).status).toBe(401);
    expect((await ask(door, hi(), { authorization: "Bearer a new password" })).status).toBe(401);
    expect((await ask(door)).status).toBe(200);
    expect((await ask(door, hi(), door.asBob)).status).toBe(200);
  }
  expect(await door.change(configOf())).toEqual([]);
});

test("a mode that would need a new token makes none before the restart", async () => {
  const door = await startReloadable(configOf({ gateway: { auth: { mode: "none", token: undefined } } }));
  expect(await door.change(configOf({ gateway: { auth: { mode: "token", token: undefined } } }))).toEqual([
    "gateway.auth.mode",
  ]);
  expect(readdirSync(door.stateDir)).not.toContain("gateway-token");
  expect((await models(door, { authorization: "" })).ids).toBeDefined();
});

const UNUSABLE: Record<string, ConfigInput> = {
  "a model without its key": { agents: { list: [{ id: "other", model: "openai/gpt-5-mini" }] } },
  "a mode without its secret": { gateway: { auth: { mode: "password", token: undefined } } },
};

test.each(Object.entries(UNUSABLE))("%s changes nothing", async (_what, config) => {
  const door = await startReloadable(configOf({}, bob()), [sayer("x")]);
  await expect(door.change(configOf(config))).rejects.toThrow(ConfigError);
  expect((await ask(door, hi(), door.asBob)).text).toBe("x");
  await door.change(configOf());
  expect((await ask(door, hi(), door.asBob)).status).toBe(401);
});

test("of many reloads at once the last is in force", async () => {
  const door = await startReloadable(configOf(listed("main")));
  await Promise.all(Array.from({ length: 50 }, (_, index) => door.change(configOf(listed("main", `a${index}`)))));
  expect(door.gateway.agents.map(({ id }) => id)).toEqual(["main", "a49"]);
});

test("what was reloaded before the gateway listens is what it listens with", async () => {
  vi.stubEnv("OPENCLAW_STATE_DIR", "/nonexistent");
  const gateway = createGateway({ config: configOf(), agents: [sayer("x")] });
  await gateway.reload(configOf({ gateway: { auth: { token: "another-token-0123456789" } } }));
  const { url } = await gateway.listen();
  const status = async (token: string) =>
    (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await status(TOKEN), await status("another-token-0123456789")]).toEqual([401, 200]);
  await gateway.close();
  await expect(gateway.reload(configOf())).rejects.toThrow("closes");
  vi.unstubAllEnvs();
});

test("streams that come while configs change are whole", async () => {
  const door = await startReloadable(configOf(listed("main")));
  const changing = (async () => {
    for (let index = 0; index < 40; index++) await door.change(configOf(listed("main", `a${index}`)));
  })();
  const answers = await Promise.all(Array.from({ length: 20 }, () => askStream(door)));
  await changing;
  for (const { error, finishReason } of answers) expect([error, finishReason]).toEqual([undefined, "stop"]);
});

function sayerCalled(id: string) {
  return defineAgent({
    id,
    async *run() {
      yield id;
    },
  });
}

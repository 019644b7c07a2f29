import OpenAI from "openai";
import { expect, test } from "vitest";
import { type AgentDefinition, type ConfigInput, defineAgent } from "../../src/index.ts";
import { agentOf } from "../support/agents.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { authWith, bearer, hashOf, tokenOf } from "../support/keys.ts";
import { expectEnvelope } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

/** A gateway of main, which is the default, and poet, and keys for them; `runs` has the agent of each run. */
async function start(keys: Parameters<typeof authWith>[0] = { ann: { agents: ["poet"] } }) {
  const runs: string[] = [];
  const agent = (id: string, more: Partial<AgentDefinition>) =>
    defineAgent({
      id,
      ...more,
      async *run() {
        runs.push(id);
        yield `I am ${id}`;
      },
    });
  const door = await startGateway({
    agents: [
      agent("main", { default: true, aliases: ["gpt-4o"], description: "Runs the house" }),
      agent("poet", { aliases: ["gpt-rhyme"] }),
    ],
    config: { gateway: { auth: authWith(keys) } },
  });
  return { ...door, runs };
}

type Naming = [body: Record<string, unknown>, headers?: Record<string, string>];

const bodies = (...models: (string | null | undefined)[]): Naming[] => models.map((model) => [{ model }]);

/** Every way to name main, which is the default agent. */
const MAIN: Record<string, Naming[]> = {
  model: [
    ...bodies("openclaw:main", "openclaw/main", "agent:main", "OPENCLAW:MAIN", "Agent:Main", " openclaw/Main "),
    ...bodies("gpt-4o", "GPT-4o", "openclaw", "OpenClaw", "openclaw/default", "openclaw:default", "agent:default"),
    ...bodies("", null, undefined),
    // Whatever else they say about the session, the agent is main.
    [{ model: "openclaw", user: "poet" }],
    [{ model: "openclaw" }, { "x-openwebui-chat-id": "agent:poet:x" }],
    [{ model: "openclaw" }, { "x-openclaw-session-key": "agent:main:x" }],
    [{ model: "openclaw" }, { "x-openclaw-session-key": "AGENT:Main:x" }],
    [{ model: "openclaw" }, { "x-openclaw-session-key": "agent%3Amain%3Ax" }],
    [{}, { "x-openclaw-session-key": "poet" }],
    [{ model: "openclaw/main" }, { "x-openclaw-session-key": "agent:main:x", "x-openclaw-task": "title" }],
  ],
  "x-openclaw-agent-id": ["main", "MAIN", " main ", "openclaw:main", "agent:main", "openclaw/main", "gpt-4o", "default"]
    .map((name): Naming => [{ model: "openclaw:poet" }, { "x-openclaw-agent-id": name }])
    .concat([[{ model: "openclaw:poet" }, { "x-openclaw-agent-id": "main", "x-openclaw-agent": "poet" }]]),
  "x-openclaw-agent": ["main", "Main", "openclaw/main", "GPT-4O", "openclaw"].map(
    (name): Naming => [{ model: "gpt-rhyme" }, { "x-openclaw-agent": name }],
  ),
};

for (const [param, namings] of Object.entries(MAIN)) {
  test(`a key for poet is refused main however ${param} says it, and nothing is run`, async () => {
    const { runs, ...door } = await start();
    for (const [body, headers] of namings) {
      for (const stream of [false, true]) {
        const said = JSON.stringify({ body, headers, stream });
        const { status, json } = await ask(door, { ...hi(body), stream }, { ...headers, ...bearer("ann") });
        expect({ status, ...json.error }, said).toMatchObject({ status: 403, code: "agent_not_allowed", param });
        expect(json.error.message, said).toContain("It may use openclaw/poet.");
        expect(json.error.message, said).not.toContain("main");
      }
    }
    expect(runs).toEqual([]);
    // And each of them does name main.
    for (const [body, headers] of namings) {
      const { text } = await ask(door, hi(body), { ...headers, ...bearer("operator") });
      expect(text, JSON.stringify({ body, headers })).toBe("I am main");
    }
  });
}

test("neither an idempotency key nor store changes that", async () => {
  const { runs, ...door } = await start({ ann: { agents: ["poet"] }, all: {} });
  const keyed = { "idempotency-key": "k1" };
  expect((await ask(door, hi({ model: "openclaw:main" }), { ...keyed, ...bearer("all") })).text).toBe("I am main");
  const { status, json } = await ask(door, hi({ model: "openclaw:main", store: true }), { ...keyed, ...bearer("ann") });
  expect({ status, code: json.error.code }).toEqual({ status: 403, code: "agent_not_allowed" });
  const kept = await door.request("/v1/chat/completions", { headers: bearer("ann") });
  expect(await kept.json()).toMatchObject({ data: [] });
  // What was refused has not taken the key.
  expect((await ask(door, hi({ model: "openclaw:poet" }), { ...keyed, ...bearer("ann") })).text).toBe("I am poet");
  expect(runs).toEqual(["main", "poet"]);
});

test("a key for poet has poet by every name", async () => {
  const { runs, ...door } = await start();
  const namings: Naming[] = [
    ...bodies("openclaw:poet", "openclaw/poet", "agent:poet", "OPENCLAW/Poet", "gpt-rhyme"),
    [{ model: "openclaw:main" }, { "x-openclaw-agent-id": "POET" }],
    [{ model: "openclaw" }, { "x-openclaw-session-key": "agent:poet:x" }],
  ];
  for (const [body, headers] of namings) {
    const { text } = await ask(door, hi(body), { ...headers, ...bearer("ann") });
    expect(text, JSON.stringify({ body, headers })).toBe("I am poet");
  }
  expect((await askStream(door, hi({ model: "openclaw:poet" }), bearer("ann"))).text).toBe("I am poet");
  expect(runs).toHaveLength(namings.length + 1);
});

test("one agent's session is not reached under the name of another", async () => {
  const { runs, ...door } = await start();
  for (const key of ["agent:main:x", "agent%3AMAIN%3Ax"]) {
    const headers = { "x-openclaw-session-key": key, ...bearer("ann") };
    const { status, json } = await ask(door, hi({ model: "openclaw:poet" }), headers);
    expect({ status, code: json.error.code }).toEqual({ status: 400, code: "invalid_session_key" });
  }
  expect(runs).toEqual([]);
});

test("an agent that a key may not use is refused before its session is read, and is not named", async () => {
  const { runs, ...door } = await start();
  const namings: Naming[] = [
    [{ model: "gpt-4o" }],
    [{ model: "openclaw/main" }],
    [{ model: "openclaw" }, { "x-openclaw-agent": "gpt-4o" }],
  ];
  for (const [body, headers] of namings) {
    for (const key of ["agent:poet:x", "agent:nobody:x", "agent:main", "%"]) {
      const asked = { "x-openclaw-session-key": key, ...headers, ...bearer("ann") };
      const { status, json } = await ask(door, hi(body), asked);
      expect({ status, ...json.error }, key).toMatchObject({ status: 403, code: "agent_not_allowed" });
      expect(json.error.message, key).not.toContain("main");
    }
  }
  expect(runs).toEqual([]);
});

test("GET /v1/models tells of a key's own agents only", async () => {
  const keys = { ann: { agents: ["poet"] }, none: { agents: [] }, main: { agents: ["main"] }, all: {} };
  const { request, runs } = await start(keys);
  const list = async (who: string) => {
    const text = await (await request("/v1/models", { headers: bearer(who) })).text();
    if (who === "ann") expect(text).not.toContain("Runs the house");
    return (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id);
  };
  const everything = ["openclaw", "openclaw/default", "openclaw/main", "openclaw/poet"];
  expect(await list("ann")).toEqual(["openclaw/poet"]);
  expect(await list("none")).toEqual([]);
  expect(await list("main")).toEqual(["openclaw", "openclaw/default", "openclaw/main"]);
  expect(await list("all")).toEqual(everything);
  expect(await list("operator")).toEqual(everything);
  const names = [
    "openclaw",
    "openclaw/default",
    "openclaw/main",
    "openclaw%2Fmain",
    "OPENCLAW%2FMAIN",
    "openclaw:main",
  ];
  for (const name of [
    ...names,
    "agent:main",
    "gpt-4o",
    "GPT-4O",
    "%20openclaw%2Fmain",
    "/openclaw/main",
    "openclaw//main",
  ]) {
    const refused = await request(`/v1/models/${name}`, { headers: bearer("ann") });
    const text = await refused.text();
    expect(expectEnvelope(403, text), name).toMatchObject({ code: "agent_not_allowed", param: "model" });
    expect([refused.status, text.includes("main")], name).toEqual([403, false]);
    expect((await request(`/v1/models/${name}`, { headers: bearer("all") })).status, name).toBe(200);
  }
  for (const name of ["openclaw/poet", "openclaw%2Fpoet", "gpt-rhyme"]) {
    expect((await request(`/v1/models/${name}`, { headers: bearer("ann") })).status, name).toBe(200);
  }
  expect(runs).toEqual([]);
});

test("x-openclaw-model needs its scope, whatever it names", async () => {
  const { runs, ...door } = await start({ ann: {}, both: { scopes: ["chat", "override-model"] } });
  for (const model of ["openai/gpt-5", "demo", " DEMO ", "x"]) {
    const { status, json } = await ask(door, hi(), { "x-openclaw-model": model, ...bearer("ann") });
    expect({ status, ...json.error }).toMatchObject({ status: 403, code: "missing_scope", param: "x-openclaw-model" });
  }
  expect(runs).toEqual([]);
  for (const who of ["both", "operator"]) {
    expect((await ask(door, hi(), { "x-openclaw-model": "demo", ...bearer(who) })).status).toBe(200);
  }
  // A header that says nothing asks for nothing.
  expect((await ask(door, hi(), { "x-openclaw-model": " ", ...bearer("ann") })).status).toBe(200);
});

test("the openai package with a colleague's key: its agent answers, another is a PermissionDeniedError", async () => {
  const { url, runs } = await start();
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: tokenOf("ann"), maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "hi" }];
  const stream = await client.chat.completions.create({ model: "openclaw/poet", messages, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe("I am poet");
  for (const stream of [true, false]) {
    const refused = client.chat.completions.create({ model: "openclaw", messages, stream });
    await expect(refused).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    await expect(refused).rejects.toMatchObject({ status: 403, code: "agent_not_allowed", param: "model" });
  }
  await expect(client.models.retrieve("openclaw/main")).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toEqual(["openclaw/poet"]);
  for (const apiKey of [hashOf(tokenOf("ann")), `${tokenOf("ann")}x`, "ann"]) {
    const other = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
    await expect(other.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  }
  expect(runs).toEqual(["poet"]);
});

test.each<[mode: string, gateway: NonNullable<ConfigInput["gateway"]>]>([
  ["none", { auth: { mode: "none" } }],
  ["password", { auth: { mode: "password", password: TOKEN } }],
  [
    "trusted-proxy",
    { auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } }, trustedProxies: ["10.0.0.0/8"] },
  ],
])("a key is a key in mode %s too", async (_mode, gateway) => {
  const { keys, rateLimit } = authWith({ ann: { agents: ["poet"] }, old: { expiresAt: "2020-01-31" } });
  const door = await startGateway({
    agents: ["main", "poet"].map((id) => agentOf(sayYes, { id })),
    config: { gateway: { ...gateway, auth: { ...gateway.auth, keys, rateLimit } } },
  });
  expect((await ask(door, hi({ model: "openclaw:poet" }), bearer("ann"))).text).toBe("yes");
  expect((await ask(door, hi({ model: "openclaw:main" }), bearer("ann"))).status).toBe(403);
  expect((await ask(door, hi({ model: "openclaw:poet" }), bearer("old"))).status).toBe(401);
});

async function* sayYes() {
  yield "yes";
}

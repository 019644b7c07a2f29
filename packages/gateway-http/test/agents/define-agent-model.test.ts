import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentTemplate, defineAgent, type ModelAgentDefinition } from "../../src/index.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { chunk, completion, type Script, startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";

type Settings = Omit<ModelAgentDefinition, "id">;

/** A gateway whose default model is a stand-in's, and an agent `main` with these settings. */
async function start(template: AgentTemplate, script: Script = (exchange) => exchange.answer(200, completion("ok"))) {
  const provider = await startProvider(script);
  const door = await startGateway({
    agents: [template],
    config: {
      agents: { defaults: { model: "stand/in", maxSteps: 3 } },
      models: {
        providers: { stand: { baseUrl: provider.baseUrl, models: [{ id: "in", contextWindow: 8000 }] } },
      },
    },
  });
  return { ...door, provider };
}

/** Calls a tool with these arguments until it reads a result, then says what it read. */
const callThenSay =
  (name: string, args: unknown): Script =>
  async (exchange) => {
    const last = exchange.json.messages.at(-1);
    exchange.open();
    if (last?.role === "tool") {
      await exchange.say(`I read: ${last.content}`);
      return exchange.finish();
    }
    const call = { index: 0, id: "call_1", type: "function", function: { name, arguments: JSON.stringify(args) } };
    await exchange.event(chunk({ tool_calls: [call] }));
    exchange.finish("tool_calls");
  };

const weather = (run: (input: { city: string }) => unknown) =>
  defineAgent({
    id: "main",
    tools: { getWeather: { description: "The weather", schema: z.object({ city: z.string() }), run } },
  });

test("the model is told of the functions, calls one, and reads what it returned", async () => {
  const template = weather(({ city }) => ({ city, celsius: 12 }));
  const { provider, ...door } = await start(template, callThenSay("getWeather", { city: "Bern" }));
  const { text, error } = await askStream(door);
  expect(error).toBeUndefined();
  expect(text).toBe('I read: {"city":"Bern","celsius":12}');
  expect(provider.exchanges).toHaveLength(2);
  expect(provider.exchanges[0]?.json.tools).toEqual([
    {
      type: "function",
      function: {
        name: "getWeather",
        description: "The weather",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ]);
});

test("a function that throws, or is called wrongly, ends no run: the model reads why", async () => {
  const broken = weather(() => {
    throw new Error("no station there");
  });
  const thrown = await askStream(await start(broken, callThenSay("getWeather", { city: "Bern" })));
  expect(thrown.text).toMatch(/^I read: .*no station there/);
  const wrong = await askStream(await start(broken, callThenSay("getWeather", { town: "Bern" })));
  expect(wrong.text).toMatch(/^I read: Invalid arguments: city: .*expected string/);
});

test("maxSteps is the agent's own, else the config's", async () => {
  const endless: Script = async (exchange) => {
    exchange.open();
    const call = {
      index: 0,
      id: `call_${Math.random()}`,
      type: "function",
      function: { name: "again", arguments: "{}" },
    };
    await exchange.event(chunk({ tool_calls: [call] }));
    exchange.finish("tool_calls");
  };
  const asked = async (more: Settings) => {
    const template = defineAgent({ id: "main", ...more, tools: { again: { schema: z.object({}), run: () => "" } } });
    const { provider, ...door } = await start(template, endless);
    expect((await askStream(door)).finishReason).toBe("length");
    return provider.exchanges.length;
  };
  expect(await asked({})).toBe(3);
  expect(await asked({ maxSteps: 2 })).toBe(2);
});

test("without a model of its own it is the config's default, with its own instructions and parameters", async () => {
  const template = defineAgent({ id: "Main", name: "Ann", instructions: "Be brief.", params: { temperature: 0.1 } });
  expect(template.id).toBe("main");
  const { provider, gateway, ...door } = await start(template);
  expect((await ask(door)).text).toBe("ok");
  expect(provider.exchanges[0]?.json).toEqual({
    model: "in",
    temperature: 0.1,
    stream: false,
    messages: [{ role: "system", content: "Be brief." }, hi().messages as object].flat(),
  });
  expect(gateway.defaultAgent).toMatchObject({ id: "main", name: "Ann", contextWindow: 8000, timeoutMs: 600_000 });
});

test("what the definition says of the model beats the config", async () => {
  const template = defineAgent({ id: "main", model: "stand/other", contextWindow: 5 });
  const { provider, gateway, ...door } = await start(template);
  await ask(door);
  expect(provider.exchanges[0]?.json.model).toBe("other");
  expect(gateway.defaultAgent.contextWindow).toBe(5);
});

test("of the servers' tools it has those that mcp names; its own beat them", async () => {
  const tool = (name: string): Tool => ({
    name,
    parameters: { type: "object" },
    run: async () => ({ ok: true, text: "" }),
  });
  const mcp = { ready: async () => {}, list: () => [tool("files__read"), tool("files__write"), tool("web__get")] };
  const namesOf = async (settings: Settings) => {
    const told: unknown[] = [];
    const models = {
      contextWindow: () => undefined,
      input: () => ["text"] as const,
      get: () =>
        async function* ({ params }: { params: Readonly<Record<string, unknown>> }) {
          for (const { function: named } of (params.tools ?? []) as {
            function: { name: string; description?: string };
          }[]) {
            told.push(named.description ?? named.name);
          }
          yield [{ type: "text-delta" as const, text: "ok" }];
        },
    };
    const agent = defineAgent({ id: "main", ...settings }).bind({
      models,
      mcp,
      defaults: { model: "a/b", maxSteps: 2 },
      onToolError: String,
    });
    const turn = {
      messages: [],
      instructions: [],
      params: {},
      stream: true,
      runId: "r",
      agentId: "main",
      sessionKey: "s",
    };
    for await (const _ of agent.run(turn, { signal: new AbortController().signal }));
    return told;
  };
  const own = { files__read: { description: "mine", schema: z.object({}), run: () => "" } };
  expect(await namesOf({})).toEqual([]);
  expect(await namesOf({ mcp: [] })).toEqual([]);
  expect(await namesOf({ mcp: ["files__*"] })).toEqual(["files__read", "files__write"]);
  expect(await namesOf({ mcp: ["*"], tools: own })).toEqual(["mine", "files__write", "web__get"]);
});

for (const [settings, said] of [
  [{ model: "gpt" }, 'agent main: model: must be "provider/model"'],
  [{ maxSteps: 0 }, "agent main: maxSteps: "],
  [{ maxSteps: 1001 }, "agent main: maxSteps: "],
  [{ maxSteps: 1.5 }, "agent main: maxSteps: "],
  [{ params: { stream: true } }, "agent main: params.stream: set by the gateway itself"],
  [{ params: { a: 1n } }, "agent main: params.a: must be JSON"],
  [{ mcp: ["!files__*"] }, "agent main: mcp.0: "],
  [{ mcp: "files__*" as unknown as string[] }, "agent main: mcp: "],
  [{ timeoutSeconds: 0 }, "agent main: timeoutSeconds must be"],
  [{ tools: { "a b": { schema: z.object({}), run: () => "" } } }, 'agent main, tool "a b": '],
] satisfies [Settings, string][]) {
  test(`${said} is refused when it is defined`, () => {
    expect(() => defineAgent({ id: "main", ...settings })).toThrow(
      expect.objectContaining({ name: "ConfigError", message: expect.stringContaining(said) }),
    );
  });
}

test("an agent with a run of its own has no tools for a model", () => {
  const both = { id: "main", tools: {}, async *run() {} };
  expect(() => defineAgent(both)).toThrow("agent main: has both `run` and `tools`");
});

test("a model that cannot be had is told when the gateway is made", async () => {
  const template = defineAgent({ id: "main", model: "nobody/x" });
  await expect(start(template)).rejects.toMatchObject({
    name: "ConfigError",
    message: expect.stringContaining("nobody"),
  });
});

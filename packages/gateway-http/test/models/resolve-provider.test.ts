import { expect, test, vi } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { ConfigError } from "../../src/errors/config-error.ts";
import { checkModels, resolveModel } from "../../src/models/resolve-provider.ts";

const config = (providers: object, agents: object = {}) => parseConfig({ models: { providers }, agents }).config;

test("a known provider needs nothing but its key", () => {
  expect(resolveModel("openrouter/anthropic/claude", config({}), { OPENROUTER_API_KEY: "k" })).toEqual({
    provider: {
      id: "openrouter",
      api: "openai-completions",
      baseUrl: "https://openrouter.ai/api/v1",
      apiKey: "k",
      headers: {},
      timeoutMs: 300_000,
    },
    model: "anthropic/claude",
  });
});

test("a provider on this machine needs no key, and gets none", () => {
  expect(resolveModel("ollama/llama3.2", config({}), { OPENAI_API_KEY: "k" }).provider).toMatchObject({
    baseUrl: "http://127.0.0.1:11434/v1",
    apiKey: undefined,
  });
});

test("the config beats the table field by field, and its key the environment's", () => {
  const headers = { "x-a": "b" };
  expect(
    resolveModel("openai/m", config({ openai: { headers, timeoutSeconds: 5 } }), { OPENAI_API_KEY: "k" }).provider,
  ).toEqual({
    id: "openai",
    api: "openai-completions",
    baseUrl: "https://api.openai.com/v1",
    apiKey: "k",
    headers,
    timeoutMs: 5000,
  });
  const moved = resolveModel("openai/m", config({ openai: { baseUrl: "http://x/v1/", apiKey: "c" } }), {
    OPENAI_API_KEY: "k",
  });
  expect(moved.provider).toMatchObject({ baseUrl: "http://x/v1", apiKey: "c" });
});

test("a provider of one's own needs a base URL and no key", () => {
  expect(resolveModel("mine/m", config({ mine: { baseUrl: "http://x/v1" } }), {}).provider).toMatchObject({
    apiKey: undefined,
  });
  expect(() => resolveModel("mine/m", config({ mine: {} }), {})).toThrow("models.providers.mine has no baseUrl");
});

test("what the config says about the model comes along", () => {
  const models = [{ id: "a/b", contextWindow: 1000 }];
  expect(resolveModel("ollama/a/b", config({ ollama: { models } }), {}).info).toEqual({
    id: "a/b",
    contextWindow: 1000,
  });
  expect(resolveModel("ollama/other", config({ ollama: { models } }), {})).not.toHaveProperty("info");
});

test.each(["gpt-4o", "/x", "openai/", "", "demo"])("%j is no provider/model", (reference) => {
  expect(() => resolveModel(reference, config({}), {})).toThrow(ConfigError);
});

test("an unknown provider is told with the known ones and the nearest", () => {
  expect(() => resolveModel("opnai/x", config({ mine: {} }), {})).toThrow(
    /unknown provider "opnai"\. Did you mean "openai"\?.*mine.*ollama/,
  );
  expect(() => resolveModel("constructor/x", config({}), {})).toThrow(/unknown provider "constructor"/);
});

test("a missing key is told with its variable; an empty one is missing", () => {
  expect(() => resolveModel("groq/x", config({}), { GROQ_API_KEY: " " })).toThrow(
    /set GROQ_API_KEY .* or models\.providers\.groq\.apiKey/,
  );
});

test("no key is asked for where headers authenticate, or behind another address", () => {
  expect(
    resolveModel("openai/x", config({ openai: { headers: { Authorization: "x" } } }), {}).provider.apiKey,
  ).toBeUndefined();
  expect(
    resolveModel("openai/x", config({ openai: { baseUrl: "http://litellm:4000/v1" } }), {}).provider.apiKey,
  ).toBeUndefined();
  expect(() => resolveModel("openai/x", config({ openai: { headers: { "x-title": "x" } } }), {})).toThrow(ConfigError);
});

test("a provider that speaks another wire is known by it, and the config may say otherwise", () => {
  const anthropic = resolveModel("anthropic/claude-x", config({}), { ANTHROPIC_API_KEY: "k" }).provider;
  expect(anthropic).toMatchObject({ api: "anthropic-messages", baseUrl: "https://api.anthropic.com/v1", apiKey: "k" });
  const responses = config({ openai: { api: "openai-responses" } });
  expect(resolveModel("openai/x", responses, { OPENAI_API_KEY: "k" }).provider).toMatchObject({
    api: "openai-responses",
    baseUrl: "https://api.openai.com/v1",
  });
});

test("the first key variable that is set counts", () => {
  const keyOf = (variables: Record<string, string>) => resolveModel("google/x", config({}), variables).provider.apiKey;
  expect(keyOf({ GOOGLE_API_KEY: "b" })).toBe("b");
  expect(keyOf({ GEMINI_API_KEY: "a", GOOGLE_API_KEY: "b" })).toBe("a");
  expect(() => keyOf({})).toThrow(/set GEMINI_API_KEY or GOOGLE_API_KEY in the environment/);
});

test("Bedrock needs a region and either a key or AWS's own credentials", () => {
  const region = { AWS_REGION: "eu-north-1" };
  const aws = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };
  const providerOf = (variables: Record<string, string>, provider?: object) =>
    resolveModel("amazon-bedrock/x", config(provider ? { "amazon-bedrock": provider } : {}), variables).provider;
  expect(providerOf({ ...region, AWS_BEARER_TOKEN_BEDROCK: "k", ...aws })).toEqual({
    id: "amazon-bedrock",
    api: "bedrock-converse-stream",
    baseUrl: "https://bedrock-runtime.eu-north-1.amazonaws.com",
    apiKey: "k",
    headers: {},
    timeoutMs: 300_000,
  });
  expect(providerOf({ ...region, ...aws })).toMatchObject({
    apiKey: undefined,
    aws: { region: "eu-north-1", accessKeyId: "id", secretAccessKey: "secret" },
  });
  const baseUrl = "https://bedrock-runtime.us-west-2.amazonaws.com";
  expect(providerOf({ ...region, ...aws }, { baseUrl }).aws?.region).toBe("us-west-2");
  expect(() => providerOf(aws)).toThrow(
    /set AWS_REGION in the environment, or models\.providers\.amazon-bedrock\.baseUrl/,
  );
  expect(() => providerOf(region)).toThrow(
    /set AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment/,
  );
});

test("a package that is not there is told with the command that installs it", async () => {
  vi.resetModules();
  vi.doMock("node:module", () => ({
    createRequire: () => ({
      resolve: () => {
        throw new Error("Cannot find module");
      },
    }),
  }));
  const { resolveModel: resolve } = await import("../../src/models/resolve-provider.ts");
  vi.doUnmock("node:module");
  expect(() => resolve("anthropic/claude-x", config({}), { ANTHROPIC_API_KEY: "k" })).toThrow(
    'model "anthropic/claude-x": needs the package @ai-sdk/anthropic: npm install @ai-sdk/anthropic',
  );
  expect(() => resolve("openai/x", config({}), { OPENAI_API_KEY: "k" })).not.toThrow();
});

test("checkModels tells every agent whose model cannot be called", () => {
  const list = [
    { id: "a", model: "nope/x" },
    { id: "b", model: "openai/x" },
    { id: "c", model: "ollama/x" },
    { id: "d" },
  ];
  expect(() => checkModels(config({}, { list }), {})).toThrow(/^agent a: .*nope.*\nagent b: .*OPENAI_API_KEY[^\n]*$/);
  expect(() => checkModels(config({}, { list: list.slice(1) }), { OPENAI_API_KEY: "k" })).not.toThrow();
});

test("checkModels looks at the default model where an agent uses it", () => {
  const defaults = { model: "openai/x" };
  expect(() => checkModels(config({}, { defaults }), {})).toThrow(/^agents\.defaults: /);
  expect(() => checkModels(config({}, { defaults, list: [{ id: "a" }] }), {})).toThrow(/^agent a: /);
  expect(() => checkModels(config({}, { defaults, list: [{ id: "a", model: "demo" }] }), {})).not.toThrow();
});

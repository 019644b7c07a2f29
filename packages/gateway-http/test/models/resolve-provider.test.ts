import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { ConfigError } from "../../src/errors/config-error.ts";
import { checkModels, resolveModel } from "../../src/models/resolve-provider.ts";

const config = (providers: object, agents: object = {}) => parseConfig({ models: { providers }, agents }).config;

test("a known provider needs nothing but its key", () => {
  expect(resolveModel("openrouter/anthropic/claude", config({}), { OPENROUTER_API_KEY: "k" })).toEqual({
    provider: {
      id: "openrouter",
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

import { expect, test, vi } from "vitest";
import { ask, askStream, hi } from "../../support/chat.ts";
import { startGateway } from "../../support/start-gateway.ts";
import { anthropic } from "../../wires/anthropic.ts";
import { bedrock } from "../../wires/bedrock.ts";
import { google } from "../../wires/google.ts";
import { openaiResponses } from "../../wires/openai-responses.ts";
import { startWire } from "../../wires/start-wire.ts";
import type { Wire } from "../../wires/wire.ts";
import { startOnWire } from "./on-wire.ts";

const steps = [{ text: ["Hi"] }];

/** The body that a provider gets. */
async function bodyOn(wire: Wire, body: Record<string, unknown>, params: Record<string, unknown> = {}) {
  const on = await startOnWire(wire, { steps, params });
  await ask(on, hi(body));
  return on.standIn.asked[0]?.json;
}

const TOOLS = [{ type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } }];
const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "hi" },
];

test("Anthropic is told what to keep in its cache: the instructions, and the talk so far", async () => {
  const { system, messages: talk } = await bodyOn(anthropic, { messages });
  expect(system[0].cache_control).toEqual({ type: "ephemeral" });
  expect(talk.at(-1).content.at(-1).cache_control).toEqual({ type: "ephemeral" });
});

test("Anthropic's cache is left alone with cache: false", async () => {
  expect(JSON.stringify(await bodyOn(anthropic, { messages }, { cache: false }))).not.toContain("cache_control");
});

test("what the config says under params reaches the library by its own name, in snake case too", async () => {
  const thinking = { type: "enabled", budgetTokens: 2000 };
  expect(await bodyOn(anthropic, {}, { thinking, top_k: 5, service_tier: "auto" })).toMatchObject({
    thinking: { type: "enabled", budget_tokens: 2000 },
    service_tier: "auto",
  });
  expect(await bodyOn(google, {}, { thinkingConfig: { includeThoughts: true }, top_k: 5 })).toMatchObject({
    generationConfig: { thinkingConfig: { includeThoughts: true }, topK: 5 },
  });
});

test("params that the library knows and cannot read are the operator's error, not a retry", async () => {
  const on = await startOnWire(anthropic, { steps, params: { thinking: "much" } });
  const { response, json } = await ask(on);
  expect(json.error).toMatchObject({ code: "provider_error" });
  expect(response.headers.get("x-should-retry")).toBe("false");
});

test("one call at a time is asked for where the wire has a word for it", async () => {
  const body = { tools: TOOLS, parallel_tool_calls: false };
  expect((await bodyOn(anthropic, body)).tool_choice).toMatchObject({ disable_parallel_tool_use: true });
  expect((await bodyOn(openaiResponses, body)).parallel_tool_calls).toBe(false);
});

test("reasoning_effort is said in the provider's own terms", async () => {
  const body = { reasoning_effort: "high" };
  expect((await bodyOn(openaiResponses, body)).reasoning).toMatchObject({ effort: "high" });
  expect((await bodyOn(google, body)).generationConfig.thinkingConfig).toMatchObject({ thinkingLevel: "high" });
  expect((await bodyOn(anthropic, body)).thinking).toMatchObject({ type: "enabled" });
});

test("OpenAI is asked for a summary of its thoughts only where the config says so", async () => {
  const body = { reasoning_effort: "high" };
  expect((await bodyOn(openaiResponses, body)).reasoning).toEqual({ effort: "high" });
  expect((await bodyOn(openaiResponses, {})).reasoning).toBeUndefined();
  const configured = await bodyOn(openaiResponses, body, { reasoning_summary: "auto" });
  expect(configured.reasoning).toEqual({ effort: "high", summary: "auto" });
});

test("Anthropic's tools are the same in streams and in whole answers, as its cache wants them", async () => {
  const on = await startOnWire(anthropic, { steps });
  await ask(on, hi({ tools: TOOLS }));
  await askStream(on, hi({ tools: TOOLS }));
  const [whole, streamed] = on.standIn.asked;
  expect(whole?.json.tools).toHaveLength(1);
  expect(streamed?.json.tools).toEqual(whole?.json.tools);
});

test("OpenAI's newer API cannot stop at words: it is not asked", async () => {
  const on = await startOnWire(openaiResponses, { steps });
  for (const stream of [true, false]) {
    for (const stop of ["END", ["END"]]) {
      const { status, json } = await ask(on, hi({ stream, stop }));
      expect(status).toBe(400);
      expect(json.error).toMatchObject({ code: "unsupported_parameter", param: "stop" });
    }
  }
  expect(on.standIn.asked).toEqual([]);
  expect((await ask(on, hi({ stop: null }))).text).toBe("Hi");
});

test("a model on Bedrock that cannot stop at words says so", async () => {
  const on = await startOnWire({ ...bedrock, model: "openai.gpt-oss-120b-1:0" }, { steps });
  const { status, json } = await ask(on, hi({ stop: "END" }));
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: "unsupported_parameter", param: "stop" });
});

test("token counts that cannot be are as good as none", async () => {
  const answer = (usageMetadata: object) => ({
    contentType: "application/json",
    pieces: [
      JSON.stringify({
        candidates: [{ content: { role: "model", parts: [{ text: "Hi" }] }, finishReason: "STOP" }],
        usageMetadata,
      }),
    ],
  });
  const on = await startOnWire(google, {
    steps: [
      answer({ promptTokenCount: 5, candidatesTokenCount: -1 }),
      answer({ promptTokenCount: 5, candidatesTokenCount: 2 }),
    ],
  });
  expect((await ask(on)).json.usage).toBeUndefined();
  expect((await ask(on)).json.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 2 });
});

test.each([
  [{ code: "rate_limit_exceeded", message: "Rate limit reached" }, 429, "provider_rate_limited"],
  [{ code: "server_error", message: "The server had an error" }, 502, "provider_error"],
  [{ code: "server_is_overloaded", message: "Overloaded" }, 503, "provider_overloaded"],
  [{ type: "x", code: "rate_limit_exceeded", message: "Rate limit reached" }, 429, "provider_rate_limited"],
])("a whole answer of OpenAI's that failed says why: %o", async (error, ours, code) => {
  const failed = { ...(openaiResponses.whole({}) as object), status: "failed", error };
  const on = await startOnWire(openaiResponses, {
    steps: [{ contentType: "application/json", pieces: [JSON.stringify(failed)] }],
  });
  const { status, json } = await ask(on);
  expect(status).toBe(ours);
  expect(json.error.code).toBe(code);
  expect(json.error.message).toContain(error.message);
});

test("OpenAI is to keep nothing, and to hand over its reasoning", async () => {
  expect(await bodyOn(openaiResponses, {})).toMatchObject({ store: false, include: ["reasoning.encrypted_content"] });
});

test("a schema is strict for OpenAI only where the caller says so", async () => {
  const schema = { type: "object", properties: {} };
  const asked = (strict?: boolean) =>
    bodyOn(openaiResponses, { response_format: { type: "json_schema", json_schema: { name: "x", schema, strict } } });
  expect((await asked()).text.format.strict).toBe(false);
  expect((await asked(true)).text.format.strict).toBe(true);
});

test("an older model of Anthropic's gives JSON through a tool, which nobody sees", async () => {
  const calls = [{ id: "call_a", name: "json", args: ['{"a":', "1}"] }];
  const on = await startOnWire({ ...anthropic, model: "claude-3-5-haiku-latest" }, { steps: [{ calls }] });
  const schema = { type: "object", properties: { a: { type: "number" } } };
  const body = hi({ response_format: { type: "json_schema", json_schema: { name: "x", schema } } });
  const { text, finishReason } = await askStream(on, body);
  expect({ text, finishReason }).toEqual({ text: '{"a":1}', finishReason: "stop" });
  expect(on.standIn.asked[0]?.tools).toEqual(["json"]);
});

test("what a caller relies on and the model cannot do is refused", async () => {
  const thinking = { type: "enabled", budgetTokens: 2000 };
  const on = await startOnWire(anthropic, { steps, params: { thinking } });
  for (const stream of [true, false]) {
    const forced = await ask(on, hi({ stream, tools: TOOLS, tool_choice: "required" }));
    expect(forced.status).toBe(400);
    expect(forced.json.error).toMatchObject({ code: "unsupported_parameter", param: "tool_choice" });
  }
});

test("Anthropic has no words for JSON without a schema: it is asked for in words", async () => {
  const calls = { steps: [{ text: ['{"a":', "1}"] }] };
  const on = await startOnWire(anthropic, calls);
  const { text } = await ask(on, hi({ response_format: { type: "json_object" } }));
  expect(text).toBe('{"a":1}');
  expect(JSON.stringify(on.standIn.asked[0])).toContain("Answer with one JSON object");
});

const sound = { type: "input_audio", input_audio: { data: "UklGRiQAAABXQVZFZm10IA==", format: "wav" } };

test("what a provider cannot take is the caller's error", async () => {
  const on = await startOnWire(anthropic, { steps });
  const { status, json } = await ask(on, hi({ messages: [{ role: "user", content: [sound] }] }));
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: "unsupported_parameter", param: "messages" });
});

test("sound and files reach a provider that takes them", async () => {
  const file = { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0xLjcK" } };
  const { contents } = await bodyOn(google, { messages: [{ role: "user", content: [sound, file] }] });
  expect(contents[0].parts).toEqual([
    { inlineData: { mimeType: "audio/wav", data: "UklGRiQAAABXQVZFZm10IA==" } },
    { inlineData: { mimeType: "application/pdf", data: "JVBERi0xLjcK" } },
  ]);
});

test("Bedrock's requests are signed with AWS's own variables", async () => {
  const standIn = await startWire(bedrock, steps);
  const providers = { "amazon-bedrock": { baseUrl: standIn.baseUrl } };
  const on = await startGateway({
    config: { models: { providers }, agents: { defaults: { model: `amazon-bedrock/${bedrock.model}` } } },
    variables: {
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "secret-0123456789",
      AWS_REGION: "eu-north-1",
    },
  });
  expect((await askStream(on)).text).toBe("Hi");
  expect(standIn.asked[0]?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-north-1\/bedrock\/aws4_request, /,
  );
});

test("nothing is read from the process's own environment, and no key is made up", async () => {
  for (const name of [
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GOOGLE_GENERATIVE_AI_API_KEY",
    "AWS_BEARER_TOKEN_BEDROCK",
  ]) {
    vi.stubEnv(name, "from-the-environment");
  }
  for (const wire of [anthropic, google, openaiResponses, bedrock]) {
    const standIn = await startWire(wire, steps);
    const provider = { baseUrl: standIn.baseUrl, api: wire.provider.api, headers: { "api-key": "mine" } };
    const on = await startGateway({
      config: {
        models: { providers: { proxy: provider } },
        agents: { defaults: { model: `proxy/${wire.model}` } },
      } as never,
    });
    expect((await ask(on)).text).toBe("Hi");
    const headers = standIn.asked[0]?.headers ?? {};
    expect(headers["api-key"]).toBe("mine");
    expect([headers.authorization, headers["x-api-key"], headers["x-goog-api-key"]]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(JSON.stringify(headers)).not.toContain("from-the-environment");
  }
  vi.unstubAllEnvs();
});

import { zodResponseFormat } from "openai/helpers/zod";
import { expect, test } from "vitest";
import { askStream, hi, readAnswer } from "../support/chat.ts";
import { ANN, messages, Person, readLive, startStructured, USAGE } from "./structured.ts";

const response_format = zodResponseFormat(Person, "person");
const asked = { model: "openclaw", messages, response_format };
const SUMMED = { prompt_tokens: 20, completion_tokens: 4, total_tokens: 24 };

test.each([["native"], ["prompt"], [undefined]] as const)(
  "openai's parse() works, whole and streamed: %s",
  async (mode) => {
    const { client, sent } = await startStructured([ANN], mode);
    const whole = await client.chat.completions.parse(asked);
    expect(whole.choices[0]?.message.parsed).toEqual({ name: "Ann", age: 3 });
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual({ name: "Ann", age: 3 });
    expect(sent()).toHaveLength(2);
  },
);

test.each([
  ["native", response_format],
  ["prompt", { type: "text" }],
] as const)(
  "%s, %j: the format is forwarded, and the answer streamed as it comes, whatever it is",
  async (mode, format) => {
    const isHeard = Promise.withResolvers<void>();
    const door = await startStructured(async (exchange) => {
      await exchange.open().say("This is");
      await isHeard.promise;
      await exchange.say(" no JSON.");
      exchange.finish();
    }, mode);
    const body = hi({ response_format: format, stream: true });
    const raw = await readLive(await door.request("/v1/chat/completions", { body }), (soFar) => {
      if (soFar.includes("This is")) isHeard.resolve();
    });
    expect(readAnswer(raw).text).toBe("This is no JSON.");
    const [json] = door.sent();
    expect(json?.response_format).toEqual(JSON.parse(JSON.stringify(format)));
    expect(json?.messages).toEqual([{ role: "user", content: "hi" }]);
  },
);

test("prompt: the schema is put in words behind the instructions, and the format is not sent", async () => {
  const door = await startStructured([ANN], "prompt", { agent: { instructions: "Be brief." } });
  await askStream(door, hi({ response_format }));
  const [json] = door.sent();
  expect(json).not.toHaveProperty("response_format");
  const [system, user] = json?.messages ?? [];
  expect(user).toEqual({ role: "user", content: "hi" });
  expect(system?.content).toMatch(/^Be brief\.\n\nAnswer with one JSON value .*JSON Schema \(person\):\n\{/s);
  expect(JSON.parse(String(system?.content).split("(person):\n")[1] ?? "")).toEqual(response_format.json_schema.schema);
});

test("prompt: while the answer is held back keep-alives flow, then it comes whole and without its fences", async () => {
  const gate = Promise.withResolvers<void>();
  const config = { gateway: { http: { commitAfterMs: 1, keepAliveMs: 20 } } };
  const door = await startStructured(
    async (exchange) => {
      await exchange.open().say(`\`\`\`json\n${ANN.slice(0, 8)}`);
      await gate.promise;
      await exchange.say(`${ANN.slice(8)}\n\`\`\``);
      exchange.finish("stop", USAGE);
    },
    "prompt",
    { config },
  );
  const body = hi({ response_format, stream: true, stream_options: { include_usage: true } });
  let held = "";
  const raw = await readLive(await door.request("/v1/chat/completions", { body }), (soFar) => {
    if (!soFar.includes(": keep-alive") || held !== "") return;
    held = soFar;
    gate.resolve();
  });
  expect(held).not.toContain("name");
  const { chunks } = readAnswer(raw);
  expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").filter((piece) => piece !== "")).toEqual([ANN]);
  expect(chunks.at(-1)?.usage).toMatchObject(USAGE);
});

test("an answer that is not valid is put right by the model, which is told what is wrong", async () => {
  const { client, sent, lastSaid } = await startStructured(['{"name":"Ann"}', ANN], "prompt");
  const { choices, usage } = await client.chat.completions.parse(asked);
  expect(choices[0]?.message.parsed).toEqual({ name: "Ann", age: 3 });
  expect(usage).toMatchObject({ ...SUMMED, openclaw: { calls: 2 } });
  expect(sent()[1]?.messages.slice(1, -1)).toEqual([...messages, { role: "assistant", content: '{"name":"Ann"}' }]);
  expect(lastSaid()).toContain('- #: Instance does not have required property "age".');
  expect(sent()[1]).not.toHaveProperty("response_format");
});

test("one that is still not valid becomes a refusal, in OpenAI's own shape", async () => {
  const { client, sent } = await startStructured(["I would rather not."], "prompt");
  const whole = await client.chat.completions.parse(asked);
  const [choice] = whole.choices;
  expect(choice?.message).toMatchObject({ content: null, parsed: null });
  expect(choice?.message.refusal).toMatch(
    /^The model did not answer with the JSON that was asked for\. It is not JSON/,
  );
  expect([choice?.finish_reason, whole.usage?.total_tokens, sent().length]).toEqual(["stop", 24, 2]);

  const refused: string[] = [];
  const stream = client.chat.completions.stream(asked).on("refusal.done", ({ refusal }) => refused.push(refusal));
  const streamed = (await stream.finalChatCompletion()).choices[0];
  expect(streamed?.message.refusal).toBe(choice?.message.refusal);
  expect([streamed?.message.parsed, streamed?.finish_reason, refused]).toEqual([
    null,
    "stop",
    [choice?.message.refusal],
  ]);
});

test("json_object: any object, asked for in words", async () => {
  const body = { model: "openclaw", messages, response_format: { type: "json_object" as const } };
  const door = await startStructured(["[1]", '```json\n{"a": 1}\n```'], "prompt");
  const { choices } = await door.client.chat.completions.create(body);
  expect(choices[0]?.message.content).toBe('{"a": 1}');
  expect(door.sent()[0]?.messages[0]?.content).toMatch(/^Answer with one JSON object, and with nothing else/);
  expect(door.lastSaid()).toContain("- It is JSON, but not an object.");
  const native = await startStructured(["{}"]);
  await native.client.chat.completions.create(body);
  expect(native.sent()[0]?.response_format).toEqual({ type: "json_object" });
});

test("an answer that was cut short says so, and is not asked for again", async () => {
  const door = await startStructured(async (exchange) => {
    await exchange.open().say('{"name":');
    exchange.finish("length");
  }, "prompt");
  const { text, finishReason } = await askStream(door, hi({ response_format }));
  expect([text, finishReason, door.sent().length]).toEqual(['{"name":', "length", 1]);
});

test("the caller's limit of tokens holds for both answers together", async () => {
  const { client, sent } = await startStructured(["no", ANN], "prompt");
  await client.chat.completions.create({ ...asked, max_completion_tokens: 50 });
  expect(sent().map(({ max_tokens }) => max_tokens)).toEqual([50, 48]);
  const { choices } = await (await startStructured(["no"], "prompt")).client.chat.completions.parse({
    ...asked,
    max_completion_tokens: 2,
  });
  expect(choices[0]?.message.refusal).toContain("It is not JSON");
});

test("a pattern that would take for ever costs a moment, and ends in a refusal", async () => {
  const schema = { type: "string", pattern: "^(a+)+$" };
  const door = await startStructured([JSON.stringify(`${"a".repeat(60)}!`)], "prompt");
  const format = { type: "json_schema" as const, json_schema: { name: "evil", schema } };
  const { choices } = await door.client.chat.completions.create({ ...asked, response_format: format });
  expect(choices[0]?.message.refusal).toContain("takes too long to be checked");
});

test("with maxSteps 1 there is no step left to put it right", async () => {
  const door = await startStructured(["no", ANN], "prompt", { agent: { maxSteps: 1 } });
  const { choices } = await door.client.chat.completions.create(asked);
  expect(choices[0]?.message.refusal).toContain("It is not JSON");
  expect(door.sent()).toHaveLength(1);
});

test("a provider that fails while it puts right is the provider's failure", async () => {
  const door = await startStructured(async (exchange, index) => {
    if (index > 0) return exchange.answer(429, { error: { message: "slow down" } });
    await exchange.open().say("no");
    exchange.finish();
  }, "prompt");
  await expect(door.client.chat.completions.create(asked)).rejects.toMatchObject({ status: 429 });
});

test("what the provider says in place of JSON is a refusal, and words where no JSON was asked for", async () => {
  const door = await startStructured(async (exchange) => {
    exchange.open();
    await exchange.event({ choices: [{ index: 0, delta: { refusal: "I cannot." } }] });
    exchange.finish();
  });
  const asked = { model: "openclaw", messages, response_format: { type: "json_object" as const } };
  const { choices } = await door.client.chat.completions.create(asked);
  expect(choices[0]?.message).toMatchObject({ content: null, refusal: "I cannot." });
  const plain = await door.client.chat.completions.create({ model: "openclaw", messages });
  expect(plain.choices[0]?.message).toMatchObject({ content: "I cannot.", refusal: null });
});

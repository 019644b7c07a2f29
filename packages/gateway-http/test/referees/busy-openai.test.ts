import OpenAI from "openai";
import { expect, test } from "vitest";
import { TOKEN } from "../support/start-gateway.ts";
import { crowded, startBusy, TEXT, THOUGHT, USAGE, WAYS } from "./busy-gateway.ts";
import { expectCrowded } from "./tap.ts";

const HI = { model: "openclaw:main", messages: [{ role: "user" as const, content: "hi" }] };
const STREAMED = { ...HI, stream: true as const, stream_options: { include_usage: true } };

async function start(reasoning: "reasoning_content" | "reasoning" = "reasoning_content") {
  const gateway = await startBusy(reasoning);
  const { url, tap } = gateway;
  return { ...gateway, client: new OpenAI({ baseURL: `${url}/v1`, apiKey: TOKEN, maxRetries: 0, fetch: tap.fetch }) };
}

/** The members of a delta that the SDK's types do not know. */
type More = { reasoning_content?: string; reasoning?: string };

for (const { keyed, way } of WAYS) {
  test(`openai: iterating a crowded stream gives text, reasoning, activity and usage${way}`, async () => {
    const { client, tap } = await start();
    const chunks = [];
    for await (const chunk of await client.chat.completions.create(STREAMED, { headers: crowded(keyed) })) {
      chunks.push(chunk);
    }
    const choices = chunks.flatMap((chunk) => chunk.choices);
    expect(choices.map(({ delta }) => delta.content ?? "").join("")).toBe(TEXT);
    expect(choices.map(({ delta }) => (delta as More).reasoning_content ?? "").join("")).toBe(THOUGHT);
    expect(choices.map((choice) => choice.finish_reason).filter(Boolean)).toEqual(["stop"]);
    expect(chunks.at(-1)?.usage).toMatchObject(USAGE);
    expect(chunks.flatMap((chunk) => (chunk as { openclaw?: object }).openclaw ?? [])).toEqual([
      { type: "tool-start", id: "t1", name: "search" },
      { type: "tool-end", id: "t1", ok: false },
      { type: "tool-start", id: "t2", name: "search" },
      { type: "tool-end", id: "t2", ok: true },
    ]);
    expectCrowded(tap.raw(), { keyed, reasoning: "reasoning_content" });
  });

  test(`openai: the stream helper puts a crowded stream together${way}`, async () => {
    const { client, tap } = await start();
    const stream = client.chat.completions.stream(STREAMED, { headers: crowded(keyed) });
    const deltas: string[] = [];
    stream.on("content", (delta) => deltas.push(delta));
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: TEXT } });
    expect(final.usage).toMatchObject(USAGE);
    expect(deltas.join("")).toBe(TEXT);
    expectCrowded(tap.raw(), { keyed, reasoning: "reasoning_content" });
    // What it does not know it does not join: of each foreign member the last one stays.
    expect(final.choices[0]?.message).toMatchObject({ reasoning_content: " I ask again." });
    expect(final).toMatchObject({ openclaw: { type: "tool-end", id: "t2", ok: true } });
  });

  test(`openai: a whole answer has text, reasoning and usage, and nothing else${way}`, async () => {
    const { client } = await start();
    const answer = await client.chat.completions.create(HI, { headers: crowded(keyed) });
    expect(answer.choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: TEXT, refusal: null, reasoning_content: THOUGHT },
        logprobs: null,
        finish_reason: "stop",
      },
    ]);
    expect(answer.usage).toMatchObject(USAGE);
    expect(answer).not.toHaveProperty("openclaw");
  });
}

test("openai: a crowded stream asked for again under its key is the same, and no second run", async () => {
  const { client, runs } = await start();
  const ask = async () => {
    const stream = client.chat.completions.stream(STREAMED, { headers: crowded(true) });
    return stream.finalChatCompletion();
  };
  const first = await ask();
  expect(await ask()).toEqual(first);
  expect(runs()).toBe(1);
});

test("openai: reasoning by its other name is in the deltas, and breaks the stream helper neither", async () => {
  const { client, tap } = await start("reasoning");
  const stream = client.chat.completions.stream(STREAMED, { headers: crowded(false) });
  let thought = "";
  for await (const { choices } of stream) thought += (choices[0]?.delta as More | undefined)?.reasoning ?? "";
  expect(thought).toBe(THOUGHT);
  expect((await stream.finalMessage()).content).toBe(TEXT);
  expectCrowded(tap.raw(), { keyed: false, reasoning: "reasoning" });
});

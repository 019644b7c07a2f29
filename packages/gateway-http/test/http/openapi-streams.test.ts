import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { askStream, hi } from "../support/chat.ts";
import { pathOf } from "../support/sessions.ts";
import { startWithTools } from "../tool-loop/with-tools.ts";
import { fetchContract, startDocumented } from "./openapi.ts";

const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const ALL = { "x-openclaw-events": "1", "x-openclaw-session-key": "trip" };
const USAGE_ASKED = { stream_options: { include_usage: true } };

/** The kinds of events that a stream was made of. */
function kindsOf(chunks: readonly object[]): string[] {
  const kinds = chunks.flatMap((chunk) => {
    const { choices, openclaw } = chunk as { choices: { delta: object }[]; openclaw?: { type: string } };
    return openclaw ? [openclaw.type] : choices.length === 0 ? ["usage"] : Object.keys(choices[0]?.delta ?? {});
  });
  return [...new Set(kinds)].sort();
}

for (const [name, headers] of Object.entries({ "a connection": {}, "a key": { "idempotency-key": "k" } })) {
  test(`every event of an agent with tools is a documented chunk, by ${name}`, async () => {
    const door = await startWithTools({
      says: [
        { reasoning: "Hm.", text: "Let me see.", calls: [["echo", '{"text":"a"}']], usage: USAGE },
        { text: "Ask yours.", calls: [["yours", "{}", "call_yours"]], usage: USAGE },
      ],
      agent: { exposeReasoning: "reasoning_content" },
    });
    const contract = await fetchContract(door);
    const tools = [{ type: "function", function: { name: "yours" } }];
    const { chunks } = await askStream(door, hi({ ...USAGE_ASKED, tools }), { ...ALL, ...headers });
    for (const chunk of chunks) contract.expectShape("ChatCompletionChunk", chunk);
    expect(kindsOf(chunks)).toEqual(
      ["content", "model", "reasoning_content", "role", "tool-end", "tool-start", "tool_calls", "usage"].sort(),
    );
    const path = pathOf("agent:main:trip", "/messages");
    const { json } = await contract.expectAnswer("GET", path, await door.request(path));
    const { data } = json as { data: { role: string; hidden: boolean }[] };
    expect(data.map(({ role, hidden }) => `${role} ${hidden}`)).toEqual([
      "user false",
      "assistant true",
      "tool true",
      "assistant false",
    ]);
    const body = hi({ ...USAGE_ASKED, stream_options: undefined, tools });
    const whole = await door.request("/v1/chat/completions", { body });
    await contract.expectAnswer("POST", "/v1/chat/completions", whole);
  });
}

test("so is every event of an agent that refuses, thinks by another name, or fails", async () => {
  const agent = agentOf(
    async function* ({ messages }) {
      yield { type: "reasoning-delta", text: "Hm." };
      yield { type: "refusal-delta", text: "No." };
      if (messages.at(-1)?.content === "fail") throw new Error("oops");
    },
    { exposeReasoning: "reasoning" },
  );
  const { contract, ...door } = await startDocumented({ agents: [agent] });
  for (const content of ["refuse", "fail"]) {
    const { chunks, error } = await askStream(door, hi({ messages: [{ role: "user", content }] }));
    for (const chunk of chunks) contract.expectShape("ChatCompletionChunk", chunk);
    expect(kindsOf(chunks)).toEqual(["content", "reasoning", "refusal", "role"]);
    expect(error !== undefined).toBe(content === "fail");
    if (error) contract.expectShape("Error", { error });
  }
});

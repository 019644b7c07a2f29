import type OpenAI from "openai";
import { expect, test } from "vitest";
import { messagesOf, startWithCalls } from "./calls-provider.ts";
import { CALLS, openaiOf, TOOLS } from "./sdk-clients.ts";

const HI = { role: "user" as const, content: "hi" };
const NEVER_MIND = { role: "user" as const, content: "never mind" };
const SUM_RESULT = { role: "tool" as const, tool_call_id: "call_a", content: "5" };

/** What reaches the provider when a client goes on like this after both calls. */
async function afterCalls(user: string | undefined, more: OpenAI.ChatCompletionMessageParam[]) {
  const { url, provider } = await startWithCalls();
  const client = openaiOf(url);
  const request = { model: "openclaw", tools: TOOLS, ...(user !== undefined && { user }) };
  const first = await client.chat.completions.create({ ...request, messages: [HI] });
  const called = first.choices[0]?.message as OpenAI.ChatCompletionMessage;
  expect(called.tool_calls).toEqual(CALLS);
  await client.chat.completions.create({ ...request, messages: [HI, called, ...more] });
  return messagesOf(provider.exchanges[1]);
}

for (const user of [undefined, "ann"]) {
  const where = user ? "in a session" : "without a session";

  test(`a call that the client left unanswered reaches the provider as not answered, ${where}`, async () => {
    expect(await afterCalls(user, [SUM_RESULT, NEVER_MIND])).toEqual([
      HI,
      { role: "assistant", tool_calls: CALLS },
      SUM_RESULT,
      { role: "tool", tool_call_id: "call_b", content: "not answered" },
      NEVER_MIND,
    ]);
  });

  test(`calls that the client passed over altogether reach the provider as not answered, ${where}`, async () => {
    expect(await afterCalls(user, [NEVER_MIND])).toEqual([
      HI,
      { role: "assistant", tool_calls: CALLS },
      { role: "tool", tool_call_id: "call_a", content: "not answered" },
      { role: "tool", tool_call_id: "call_b", content: "not answered" },
      NEVER_MIND,
    ]);
  });
}

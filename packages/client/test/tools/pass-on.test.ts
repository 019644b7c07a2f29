import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentActivity, createClient } from "../../src/index.ts";
import type { ToolRun } from "../../src/tools/index.ts";
import { failureOf } from "../support/client.ts";
import { startScripted } from "../support/scripted-gateway.ts";
import { SSE } from "../support/wire.ts";

const messages = [{ role: "user" as const, content: "Weather?" }];
const tools = { tool: { schema: z.object({}), run: () => "20" } };

/** What a page's client makes of a run that a server passes on. */
function askPage(run: ToolRun) {
  const fetch = async () => new Response(run.toReadableStream(), { headers: SSE });
  const page = createClient({ baseUrl: "http://page.test/api", fetch, maxRetries: 0 });
  return page.chat.completions.create({ messages, stream: true });
}

test("a run passed on is one answer", async () => {
  const { client } = await startScripted([
    { text: "One. ", calls: [["tool", "{}"]] },
    { reasoning: "hm", text: "Two. ", calls: [["tool", "{}"]] },
    { text: "Three." },
  ]);
  const run = client.chat.runTools(
    { messages, tools, stream_options: { include_usage: true } },
    { activity: true, sessionKey: "trip" },
  );
  expect([run.runId, run.requestId, run.sessionKey]).toEqual([null, null, null]);
  const stream = await askPage(run);
  const seen: unknown[] = [];
  const activities: AgentActivity[] = [];
  stream.on("tool-activity", (activity) => activities.push(activity));
  for await (const { id, choices, usage } of stream) {
    for (const { finish_reason } of choices) if (finish_reason) seen.push(finish_reason);
    if (usage) seen.push(usage.total_tokens);
    seen.push(id);
  }
  const [id] = seen;
  expect(seen.filter((what) => what !== id)).toEqual(["stop", 3]);
  const { choices, usage } = await stream.final();
  expect(choices).toMatchObject([
    { finish_reason: "stop", message: { content: "One. Two. Three.", reasoning_content: "hm" } },
  ]);
  expect(choices[0]?.message.tool_calls).toBeUndefined();
  expect(usage).toMatchObject({ total_tokens: 3 });
  // Each step is a request of its own.
  expect(run.runId).toBe((await run.final()).id);
  expect(run.runId).not.toBe(id);
  expect([run.requestId, run.sessionKey]).toEqual([expect.any(String), "agent:main:trip"]);
  expect(activities.length).toBe(activities.filter(({ type }) => type.startsWith("model")).length);
});

test("leaving what was passed on ends the run, also while a tool is at work", async () => {
  const { client } = await startScripted([{ text: "One.", calls: [["tool", "{}"]] }]);
  const inTool = Promise.withResolvers<AbortSignal>();
  const held = {
    tool: {
      schema: z.object({}),
      run: (_: object, { signal }: { signal: AbortSignal }) => {
        inTool.resolve(signal);
        return new Promise(() => {});
      },
    },
  };
  const run = client.chat.runTools({ messages, tools: held });
  const reader = run.toReadableStream().getReader();
  const read = (async () => {
    while (!(await reader.read()).done);
  })();
  const signal = await inTool.promise;
  await reader.cancel();
  await read;
  expect(signal.aborted).toBe(true);
  expect(await failureOf(run.final())).toMatchObject({ name: "AbortError" });
  expect(() => run.toReadableStream()).toThrow("has been read");
});

test("a failure is the end of what was passed on", async () => {
  const { client } = await startScripted([{ text: "One.", calls: [["tool", "{}"]] }]);
  const stream = await askPage(client.chat.runTools({ messages, tools, maxSteps: 1 }));
  expect(await failureOf(stream.final())).toMatchObject({
    name: "APIError",
    partial: { choices: [{ message: { content: "One." }, finish_reason: null }] },
  });
});

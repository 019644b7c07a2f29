import { expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../../src/index.ts";
import { type ToolRun, withTools } from "../../src/tools/index.ts";
import { DONE, delta, finish, SSE, say } from "../support/wire.ts";

// What no gateway does, but a server that stands in for one may.

const messages = [{ role: "user" as const, content: "Weather?" }];
const tools = { tool: { schema: z.object({}), run: () => "20" } };

/** A client of a server that gives these streams, one after the other. */
function scripted(...bodies: string[]) {
  const asked: { messages: object[] }[] = [];
  const fetch = async (_: string, { body }: RequestInit) => {
    const answer = bodies[Math.min(asked.length, bodies.length - 1)];
    asked.push(JSON.parse(String(body)));
    return new Response(answer, { headers: SSE });
  };
  return { client: withTools(createClient({ baseUrl: "http://gateway.test", fetch, maxRetries: 0 })), asked };
}

const ANSWER = say("Twenty.") + finish() + DONE;

test("calls without an id or a name are told of so that the talk can be sent again", async () => {
  const calls = [
    { index: 0, function: { name: "tool", arguments: "{}" } },
    { index: 1, id: "c1", function: { arguments: "{}" } },
  ];
  const { client, asked } = scripted(delta({ tool_calls: calls }) + finish("tool_calls") + DONE, ANSWER);
  const run = client.chat.runTools({ messages, tools });
  const results: unknown[] = [];
  run.on("tool-result", ({ id, name, isError }) => results.push([id, name, isError]));
  expect(await run.text()).toBe("Twenty.");
  expect(results.sort()).toEqual([
    ["c1", "", true],
    ["call_1_0", "tool", false],
  ]);
  expect(asked[1]?.messages.slice(1)).toMatchObject([
    {
      tool_calls: [
        { id: "call_1_0", function: { name: "tool" } },
        { id: "c1", function: { name: "unnamed" } },
      ],
    },
    { role: "tool", tool_call_id: "call_1_0", content: "20" },
    { role: "tool", tool_call_id: "c1", content: 'There is no tool "", but these: tool.' },
  ]);
});

test("whoever listens while a step is about to begin hears all of it", async () => {
  // On some turn of the loop between the request and its first chunk.
  for (let turns = 0; turns < 24; turns++) {
    let run: ToolRun | undefined;
    let heard = "";
    const listen = async () => {
      for (let turn = 0; turn < turns; turn++) await undefined;
      run?.on("content", (delta) => {
        heard += delta;
      });
    };
    const fetch = async () => {
      void listen();
      // Its first chunk comes on a later turn than all of these.
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve));
          controller.enqueue(new TextEncoder().encode(ANSWER));
          controller.close();
        },
      });
      return new Response(body, { headers: SSE });
    };
    const client = withTools(createClient({ baseUrl: "http://gateway.test", fetch, maxRetries: 0 }));
    run = client.chat.runTools({ messages, tools });
    await run.text();
    expect(heard, `after ${turns} turns`).toBe("Twenty.");
  }
});

test("a run that has ended cannot be aborted by who hears of its end, and what that throws is its failure", async () => {
  const { client } = scripted(ANSWER);
  const controller = new AbortController();
  const run = client.chat.runTools({ messages, tools }, { signal: controller.signal });
  run.on("end", () => {
    run.abort();
    controller.abort();
  });
  for await (const _ of run);
  expect(await run.text()).toBe("Twenty.");

  const failing = client.chat.runTools({ messages, tools });
  failing.on("end", () => {
    throw new Error("mine");
  });
  await expect(failing.text()).rejects.toThrow("mine");
  await expect(failing.final()).rejects.toThrow("mine");
});

test("a tool that has JSON Schema alone gets what the model sent", async () => {
  const call = { index: 0, id: "c1", function: { name: "tool", arguments: '{"city":"Bern"}' } };
  const { client, asked } = scripted(delta({ tool_calls: [call] }) + finish("tool_calls") + DONE, ANSWER);
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const run = client.chat.runTools({ messages, tools: { tool: { parameters, run: (args) => args } } });
  expect(await run.text()).toBe("Twenty.");
  expect(asked[0]).toMatchObject({ tools: [{ function: { name: "tool", parameters } }] });
  expect(asked[1]?.messages.at(-1)).toEqual({ role: "tool", tool_call_id: "c1", content: '{"city":"Bern"}' });
});

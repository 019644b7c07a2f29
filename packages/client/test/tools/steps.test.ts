import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { type AgentTurn, defineAgent } from "@openclaw/gateway-http";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { type ClientOptions, createClient } from "../../src/index.ts";
import { withTools } from "../../src/tools/index.ts";
import { failureOf, TOKEN } from "../support/client.ts";
import { type Saying, startGateway, startScripted } from "../support/scripted-gateway.ts";
import { DONE, frame, HEAD } from "../support/wire.ts";

const messages = [{ role: "user" as const, content: "Weather?" }];
const tool = { schema: z.object({}), run: () => "20" };
const CALL: Saying = { calls: [["tool", "{}"]] };

test("each step has a key of its own", async () => {
  const { client, keys } = await startScripted([CALL, CALL, { text: "Done." }]);
  const ask = (idempotencyKey?: string | false) =>
    client.chat.runTools({ messages, tools: { tool } }, { idempotencyKey }).text();
  await ask();
  expect(new Set(keys).size).toBe(3);
  expect(keys.every((key) => key)).toBe(true);
  keys.length = 0;
  await ask("order-42");
  await ask(false);
  expect(keys).toEqual(["order-42", null]);
});

test("steps of a key of one's own are found again", async () => {
  const { client, turns, keys } = await startScripted([CALL, CALL, { text: "Done." }]);
  let calls = 0;
  const ask = () =>
    client.chat
      .runTools({ messages, tools: { tool: { ...tool, run: () => void calls++ } } }, { idempotencyKey: "order-42" })
      .text();
  expect([await ask(), await ask()]).toEqual(["Done.", "Done."]);
  const [first, ...steps] = keys.slice(0, 3);
  expect(keys).toEqual([first, ...steps, first, ...steps]);
  expect([first, ...steps.map((key) => key?.replace(/[0-9a-f]{8}$/, ""))]).toEqual([
    "order-42",
    "order-42:2:",
    "order-42:3:",
  ]);
  expect([turns.length, calls]).toEqual([3, 4]);
});

test("under a key of one's own, a tool that gives something else goes on anew from there", async () => {
  const { client, turns } = await startScripted([CALL, { text: "One." }, { text: "Two." }]);
  let calls = 0;
  const ask = () =>
    client.chat
      .runTools(
        { messages, tools: { tool: { ...tool, run: () => `call ${++calls}` } } },
        { idempotencyKey: "order-42" },
      )
      .text();
  expect([await ask(), await ask()]).toEqual(["One.", "Two."]);
  // The first step is found again, the second is another.
  expect(hear(turns[2])).toEqual(["user: Weather?", "assistant: calls", "tool: call 2"]);
});

test("a key that grows too long is refused at once", async () => {
  const { client } = await startScripted([CALL]);
  const options = { idempotencyKey: "k".repeat(244) };
  expect(() => client.chat.runTools({ messages, tools: { tool } }, options)).toThrow("idempotencyKey");
  expect(() => client.chat.runTools({ messages, maxSteps: 9, tools: { tool } }, options)).not.toThrow();
});

/** Step 2 fails at first: not even connected, or cut after so many bytes. */
function failing(cutAfter: number | undefined): NonNullable<ClientOptions["fetch"]> {
  let asked = 0;
  return async (url, init) => {
    if (++asked !== 2) return fetch(url, init);
    if (cutAfter === undefined) throw new TypeError("fetch failed");
    const response = await fetch(url, init);
    let left = cutAfter;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        controller.enqueue(bytes.subarray(0, left));
        left -= bytes.length;
        if (left <= 0) controller.error(new TypeError("terminated"));
      },
    });
    return new Response(response.body?.pipeThrough(cut), response);
  };
}

test.each([undefined, 1, 300, 600])("step 2 is sent again or resumed, and nothing runs twice (%j)", async (after) => {
  const { client, turns, keys } = await startScripted([CALL, { text: "A long answer." }], { fetch: failing(after) });
  let calls = 0;
  let resumed = 0;
  const run = client.chat.runTools({ messages, tools: { tool: { ...tool, run: () => void calls++ } } });
  run.on("resume", () => resumed++);
  let text = "";
  for await (const { choices } of run) text += choices[0]?.delta.content ?? "";
  expect(text).toBe("A long answer.");
  expect([turns.length, calls, resumed]).toEqual([2, 1, after === undefined ? 0 : 1]);
  expect(keys).toEqual([expect.any(String), expect.any(String), keys[1]]);
});

const hear = (turn: AgentTurn | undefined) =>
  turn?.messages.map(({ role, content }) => `${role}: ${content ?? "calls"}`);

test("in a session, what was said before is heard in every step, and kept once", async () => {
  const { client, turns } = await startScripted([{ text: "Hello Bob." }, CALL, CALL, { text: "Twenty." }]);
  const options = { sessionKey: "agent:main:trip" };
  await client.chat.completions.create({ messages: [{ role: "user", content: "I am Bob." }] }, options);
  expect(await client.chat.runTools({ messages, tools: { tool } }, options).text()).toBe("Twenty.");
  const talk = ["user: I am Bob.", "assistant: Hello Bob.", "user: Weather?"];
  expect(hear(turns[1])).toEqual(talk);
  expect(hear(turns[2])).toEqual([...talk, "assistant: calls", "tool: 20"]);
  expect(hear(turns[3])).toEqual([...talk, "assistant: calls", "tool: 20", "assistant: calls", "tool: 20"]);
  const { data } = await client.sessions.messages(options.sessionKey);
  expect(data.map(({ role }) => role)).toEqual(
    "user assistant user assistant tool assistant tool assistant".split(" "),
  );
  expect((await client.sessions.branches(options.sessionKey)).data).toHaveLength(1);
});

test("an agent's own tools run beside", async () => {
  const asked: { role: string }[][] = [];
  const calls = (...named: [string, string][]) => ({
    tool_calls: named.map(([name, args], index) => ({
      ...{ index, id: `c_${name}`, type: "function" },
      function: { name, arguments: args },
    })),
  });
  const server = createServer(async (request, response) => {
    const { messages } = (await json(request)) as { messages: { role: string }[] };
    const isFirst = asked.push(messages) === 1;
    const delta = isFirst ? calls(["own", "{}"], ["theirs", '{"city":"Bern"}']) : { content: "Both." };
    const chunk = (delta: object, finish_reason: string | null) =>
      frame({ ...HEAD, choices: [{ index: 0, delta, finish_reason }] });
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(chunk(delta, null) + chunk({}, isFirst ? "tool_calls" : "stop") + DONE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const own: string[] = [];
  const url = await startGateway({ models: { providers: { stand: { baseUrl, apiKey: "sk-0123456789" } } } }, [
    defineAgent({
      id: "main",
      model: "stand/in",
      tools: { own: { schema: z.object({}), run: () => void own.push("own") } },
    }),
  ]);
  const client = withTools(createClient({ baseUrl: url, token: TOKEN }));
  const seen: string[] = [];
  const run = client.chat.runTools(
    { messages, tools: { theirs: { schema: z.object({ city: z.string() }), run: ({ city }) => city } } },
    { activity: true },
  );
  run.on("tool-activity", ({ type, ...more }) => seen.push("name" in more ? `${type} ${more.name}` : type));
  run.on("tool-result", ({ name, content }) => seen.push(`result ${name} ${content}`));
  expect(await run.text()).toBe("Both.");
  expect(own).toEqual(["own"]);
  expect(seen.filter((what) => !what.startsWith("model"))).toEqual([
    "tool-start own",
    "tool-end",
    "result theirs Bern",
  ]);
  // The model hears of both.
  expect(asked[1]?.filter(({ role }) => role === "tool")).toMatchObject([
    { tool_call_id: "c_own" },
    { tool_call_id: "c_theirs", content: "Bern" },
  ]);
  expect(run.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);

  const clash = client.chat.runTools({ messages, tools: { own: tool } });
  expect(await failureOf(clash.text())).toMatchObject({ status: 400 });
});

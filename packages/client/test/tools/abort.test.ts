import { getEventListeners } from "node:events";
import { GatewayError } from "@openclaw/gateway-http";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ToolRun } from "../../src/tools/index.ts";
import { failureOf } from "../support/client.ts";
import { type Saying, startScripted } from "../support/scripted-gateway.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();

const messages = [{ role: "user" as const, content: "Weather?" }];
const CALL: Saying = { calls: [["tool", "{}"]] };

/** A run of which step 2 begins to speak and never ends, and a tool that waits to be told to go on. */
async function start({ holdTool = false } = {}) {
  const ended = Promise.withResolvers<void>();
  const controller = new AbortController();
  const { client, turns } = await startScripted([
    CALL,
    async function* (_, signal) {
      yield "and so on";
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      ended.resolve();
    },
  ]);
  const inTool = Promise.withResolvers<AbortSignal>();
  const goOn = Promise.withResolvers<void>();
  const results: unknown[] = [];
  const run = client.chat.runTools(
    {
      messages,
      tools: {
        tool: {
          schema: z.object({}),
          async run(_, { signal }) {
            inTool.resolve(signal);
            if (holdTool) await goOn.promise;
            return "late";
          },
        },
      },
    },
    { signal: controller.signal },
  );
  run.on("tool-result", (result) => results.push(result));
  return { run, controller, turns, results, inTool: inTool.promise, goOn: goOn.resolve, ended: ended.promise };
}

const ways: Record<string, (run: ToolRun, controller: AbortController) => void> = {
  "the signal": (_, controller) => controller.abort("enough"),
  "abort()": (run) => run.abort(),
};

test.each(Object.entries(ways))("%s in the midst of a step's stream", async (way, end) => {
  const { run, controller, ended } = await start();
  const text = failureOf(run.on("content", () => end(run, controller)).text());
  const failure = await text;
  expect(failure).toMatchObject({
    name: "AbortError",
    partial: { choices: [{ message: { content: "and so on" } }] },
  });
  expect(failure.cause).toBe(way === "the signal" ? "enough" : undefined);
  await ended;
  expect(await failureOf(run.final())).toBe(failure);
  expect(run.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

test.each(Object.entries(ways))("%s while tools run: they are told, and not waited for", async (_, end) => {
  const { run, controller, turns, results, inTool, goOn } = await start({ holdTool: true });
  const text = failureOf(run.text());
  const signal = await inTool;
  expect(signal.aborted).toBe(false);
  end(run, controller);
  expect(await text).toMatchObject({ name: "AbortError" });
  expect(signal.aborted).toBe(true);
  goOn();
  await new Promise((resolve) => setTimeout(resolve));
  expect([turns.length, results]).toEqual([1, []]);
  // A call without its result is not in the talk.
  expect(run.messages).toEqual(messages);
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

test("leaving the loop in the midst of a step's stream", async () => {
  const { run, controller, ended } = await start();
  for await (const { choices } of run) if (choices[0]?.delta.content === "and so on") break;
  await ended;
  expect(await failureOf(run.final())).toMatchObject({ name: "AbortError" });
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

test("leaving the loop while tools run", async () => {
  const { run, inTool } = await start({ holdTool: true });
  const chunks = run[Symbol.asyncIterator]();
  const reading = (async () => {
    while (!(await chunks.next()).done);
  })();
  const failure = failureOf(reading);
  const signal = await inTool;
  await chunks.return();
  expect(signal.aborted).toBe(true);
  expect(await failure).toMatchObject({ name: "AbortError" });
});

test("leaving before the first chunk", async () => {
  const { run, turns } = await start();
  await run[Symbol.asyncIterator]().return();
  expect(await failureOf(run.final())).toMatchObject({ name: "AbortError" });
  expect(turns).toEqual([]);
});

test.each(Object.entries(ways))("%s before it is read: nothing is sent", async (_, end) => {
  const { run, controller, turns } = await start();
  end(run, controller);
  expect(await failureOf(run.text())).toMatchObject({ name: "AbortError" });
  expect(turns).toEqual([]);
});

test("a run that nobody reads leaves nothing at the signal", async () => {
  const { controller } = await start();
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

test("an abort before the answer is told of is one", async () => {
  const { client } = await startScripted([{ text: "Done." }]);
  const run = client.chat.runTools({ messages, tools: {} });
  run.on("step", () => run.abort()).on("end", () => expect.fail("is not the end"));
  const reading = async () => {
    for await (const _ of run);
  };
  expect(await failureOf(reading())).toMatchObject({ name: "AbortError" });
  expect(await failureOf(run.final())).toMatchObject({ name: "AbortError" });
});

test("an abort while arguments are checked: the tool is not run", async () => {
  const { client } = await startScripted([CALL]);
  const checked = Promise.withResolvers<boolean>();
  const began = Promise.withResolvers<void>();
  const schema = z.object({}).refine(() => {
    began.resolve();
    return checked.promise;
  });
  let calls = 0;
  const run = client.chat.runTools({ messages, tools: { tool: { schema, run: () => void calls++ } } });
  const failure = failureOf(run.text());
  await began.promise;
  run.abort();
  expect(await failure).toMatchObject({ name: "AbortError" });
  checked.resolve(true);
  await new Promise((resolve) => setTimeout(resolve));
  expect(calls).toBe(0);
});

test("an abort after the end is none", async () => {
  const { client } = await startScripted([CALL, { text: "Done." }]);
  const controller = new AbortController();
  const signals: AbortSignal[] = [];
  const tool = { schema: z.object({}), run: (_: object, { signal }: { signal: AbortSignal }) => signals.push(signal) };
  const run = client.chat.runTools({ messages, tools: { tool } }, { signal: controller.signal });
  await run.final();
  run.abort();
  controller.abort();
  expect(await run.text()).toBe("Done.");
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
});

test("an error in the midst of step 2 is the run's", async () => {
  const { client } = await startScripted([
    CALL,
    async function* () {
      yield "half";
      throw new GatewayError("context_length_exceeded", "Too long.");
    },
  ]);
  const run = client.chat.runTools({ messages, tools: { tool: { schema: z.object({}), run: () => "20" } } });
  let text = "";
  const reading = async () => {
    for await (const { choices } of run) text += choices[0]?.delta.content ?? "";
  };
  const failure = await failureOf(reading());
  expect(failure).toMatchObject({
    name: "APIError",
    code: "context_length_exceeded",
    partial: { choices: [{ message: { content: "half" } }] },
  });
  expect(text).toBe("half");
  expect(await failureOf(run.text())).toBe(failure);
  expect(run.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
});

test.each(["tool-result", "step", "end", "content"] as const)(
  "what a %s listener throws ends the run",
  async (event) => {
    const { client } = await startScripted([CALL, { text: "Done." }]);
    const thrown = new Error("mine");
    const other = Promise.withResolvers<AbortSignal>();
    const run = client.chat.runTools({
      messages,
      tools: {
        tool: {
          schema: z.object({}),
          run(_, { signal }) {
            other.resolve(signal);
          },
        },
      },
    });
    run.on(event, () => {
      throw thrown;
    });
    expect(await failureOf(run.text())).toBe(thrown);
    expect(await failureOf(run.final())).toBe(thrown);
    // Those that are still at work are told, too.
    if (event !== "step") expect((await other.promise).aborted).toBe(true);
  },
);

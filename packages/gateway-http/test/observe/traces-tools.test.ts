import { SpanKind, trace } from "@opentelemetry/api";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createGateway, defineAgent } from "../../src/index.ts";
import { ask, askStream, hi, openRaw } from "../support/chat.ts";
import { chunk, type Script, startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";
import { startWithTools } from "../tool-loop/with-tools.ts";
import { introduce, sendJson, serveByHand } from "../tools/http-server.ts";
import { byHand, SOON } from "../tools/start-tools.ts";
import { FROM_CALLER, failureOf, identify, readParent, startTracing, TRACE_ID } from "./tracing.ts";

vi.setConfig({ testTimeout: 40_000 });

const HOW_MANY = hi({ messages: [{ role: "user", content: "how many tools?" }] });

/** Calls these tools at once, and then says what they said. When asked, says of how many it was told. */
const callThese =
  (...names: readonly string[]): Script =>
  async (exchange) => {
    const results = exchange.json.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
    exchange.open();
    if (exchange.json.messages.at(-1)?.content === "how many tools?") {
      await exchange.say(`${(exchange.json.tools as unknown[]).length}`);
      return exchange.finish();
    }
    if (results.length > 0) {
      await exchange.say(results.join("|"));
      return exchange.finish();
    }
    for (const [index, name] of names.entries()) {
      const call = { index, id: `c${index + 1}`, type: "function", function: { name, arguments: "{}" } };
      await exchange.event(chunk({ tool_calls: [call] }));
    }
    exchange.finish("tool_calls");
  };

test("tools are spans of their run between the calls of the model, and MCP servers hear of them", async () => {
  const heard: { meta: Record<string, unknown> | undefined; header: unknown; state: unknown }[] = [];
  const url = await serveByHand((message, response, request) => {
    if (introduce(message, response)) return;
    const { traceparent: header, tracestate: state } = request.headers;
    heard.push({ meta: message.params?._meta as Record<string, unknown>, header, state });
    const content = [{ type: "text", text: "from the web" }];
    return sendJson(response, { jsonrpc: "2.0", id: message.id, result: { content } });
  });
  const provider = await startProvider(callThese("own", "web__call", "cmd__meta"));
  const agent = defineAgent({
    id: "main",
    model: "stand/in",
    mcp: ["*"],
    tools: {
      own: {
        schema: z.object({}),
        async run() {
          await Promise.resolve();
          trace.getTracer("mine").startSpan("query").end();
          return "own result";
        },
      },
    },
  });
  const door = await startGateway({
    config: {
      models: { providers: { stand: { baseUrl: provider.baseUrl } } },
      mcp: { servers: { web: { url }, cmd: byHand("tells-meta") } },
    },
    agents: [agent],
  });
  await vi.waitFor(async () => expect((await askStream(door, HOW_MANY)).text).toBe("3"), SOON);
  const tracing = startTracing();
  const { text } = await askStream(door, hi(), FROM_CALLER);
  await tracing.ended(7);
  expect(tracing.tree()).toEqual([
    [
      "invoke_agent main",
      "chat in",
      ["execute_tool own", "query"],
      "execute_tool web__call",
      "execute_tool cmd__meta",
      "chat in",
    ],
  ]);
  expect(tracing.spans.map(failureOf)).toEqual(tracing.spans.map(() => undefined));
  expect(tracing.spans.every((span) => span.spanContext().traceId === TRACE_ID)).toBe(true);
  const own = tracing.span("execute_tool own");
  expect(own.kind).toBe(SpanKind.INTERNAL);
  expect(own.attributes).toEqual({
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "own",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.id": "c1",
  });
  const web = identify(tracing.span("execute_tool web__call"));
  expect(heard).toHaveLength(1);
  expect([heard[0]?.meta?.traceparent, heard[0]?.header].map(readParent)).toEqual([web, web]);
  expect([heard[0]?.meta?.tracestate, heard[0]?.state]).toEqual(["vendor=1", "vendor=1"]);
  const [, fromWeb, told = ""] = text.split("|");
  expect(fromWeb).toBe("from the web");
  const meta = JSON.parse(told);
  expect(readParent(meta.traceparent)).toEqual(identify(tracing.span("execute_tool cmd__meta")));
  // What the client itself says there is still said.
  expect(Object.keys(meta)).toEqual(expect.arrayContaining(["progressToken", "tracestate"]));
});

test("a tool that fails is an error of its span alone, and one that was made up has none", async () => {
  const tracing = startTracing();
  const door = await startWithTools({
    says: [
      {
        calls: [
          ["throws", "{}"],
          ["made_up_by_the_model", "{}"],
        ],
      },
      { text: "done" },
    ],
    tools: {
      throws: {
        schema: z.object({}),
        run() {
          throw new TypeError("the password is 1234");
        },
      },
    },
  });
  expect((await ask(door)).text).toBe("done");
  await tracing.ended(4);
  expect(tracing.spans.map((span) => [span.name, failureOf(span)])).toEqual([
    ["invoke_agent main", undefined],
    ["chat in", undefined],
    ["execute_tool throws", "tool_error"],
    ["chat in", undefined],
  ]);
  const { status, events, attributes } = tracing.span("execute_tool throws");
  expect(JSON.stringify([status, events, attributes])).not.toContain("1234");
});

test("a tool that does not listen has a span that ends with the run", async () => {
  const tracing = startTracing();
  const begun = Promise.withResolvers<void>();
  const door = await startWithTools({
    says: [{ calls: [["hangs", "{}"]] }],
    tools: {
      hangs: {
        schema: z.object({}),
        run() {
          begun.resolve();
          return new Promise(() => {});
        },
      },
    },
  });
  const client = openRaw(door, hi({ stream: true }));
  await begun.promise;
  client.kill();
  await tracing.ended(3);
  expect(tracing.spans.map((span) => [span.name, failureOf(span)])).toEqual([
    ["invoke_agent main", "run_aborted"],
    ["chat in", undefined],
    ["execute_tool hangs", "run_aborted"],
  ]);
});

test("a connection to a server that a run begins is not part of its trace", async () => {
  const methods: [string, boolean][] = [];
  const url = await serveByHand((message, response, request) => {
    methods.push([message.method, request.headers.traceparent !== undefined]);
    if (introduce(message, response)) return;
    sendJson(response, { jsonrpc: "2.0", id: message.id, result: { content: [{ type: "text", text: "done" }] } });
  });
  const tracing = startTracing();
  const provider = await startProvider(callThese("web__call"));
  // It does not listen: nothing is connected before the first run.
  const gateway = createGateway({
    config: {
      logging: { level: "silent" },
      sessions: { store: { kind: "memory" } },
      models: { providers: { stand: { baseUrl: provider.baseUrl } } },
      mcp: { servers: { web: { url } } },
      agents: { list: [{ id: "main", model: "stand/in" }] },
    },
  });
  onTestFinished(() => gateway.close());
  const say = (content: string) => {
    const turn = { messages: [{ role: "user" as const, content }], instructions: [], params: {}, stream: true };
    const session = { owner: "operator", key: "k", stateless: true };
    return gateway.runs.start({ agent: gateway.defaultAgent, turn, session }).result;
  };
  await vi.waitFor(async () => {
    await say("hi");
    expect(methods.map(([method]) => method)).toContain("tools/call");
  }, SOON);
  await tracing.ended(1);
  expect(methods.filter(([, isTraced]) => isTraced)).toEqual([["tools/call", true]]);
  expect(methods.map(([method]) => method)).toContain("initialize");
});

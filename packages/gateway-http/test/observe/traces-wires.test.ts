import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ContextManager, TextMapPropagator, TracerProvider } from "@opentelemetry/api";
import { context } from "@opentelemetry/api";
import { expect, onTestFinished, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import type { TraceApi } from "../../src/observe/trace-api.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { startGateway } from "../support/start-gateway.ts";
import { startWire, WIRES } from "../wires/start-wire.ts";
import { FROM_CALLER, failureOf, identify, readParent, startTracing, TRACE_ID } from "./tracing.ts";

const USAGE = { input: 10, cached: 4, output: 5, reasoning: 2 };

for (const wire of WIRES) {
  for (const stream of [true, false]) {
    test(`a provider of ${wire.name} hears of the trace, ${stream ? "streamed" : "whole"}`, async () => {
      const tracing = startTracing();
      const { baseUrl, asked } = await startWire(wire, [{ text: ["hello"], usage: USAGE }, "overloaded"]);
      const door = await startGateway({
        config: {
          models: { providers: { stand: { ...wire.provider, baseUrl } } },
          agents: { list: [{ id: "main", model: "stand/m" }] },
        } as ConfigInput,
      });
      const answer = stream ? await askStream(door, hi(), FROM_CALLER) : await ask(door, hi(), FROM_CALLER);
      expect(answer.text).toBe("hello");
      await tracing.ended(2);
      expect(tracing.tree()).toEqual([["invoke_agent main", "chat m"]]);
      const chat = tracing.span("chat m");
      expect(chat.attributes).toMatchObject({
        "gen_ai.request.model": "m",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 4,
      });
      expect(chat.spanContext().traceId).toBe(TRACE_ID);
      expect(readParent(asked[0]?.headers.traceparent)).toEqual(identify(chat));
      await ask(door);
      await tracing.ended(4);
      expect(tracing.spans.slice(2).map(failureOf)).toEqual(["provider_overloaded", "provider_overloaded"]);
    });
  }
}

test("where undici is traced itself, its headers are not doubled, and its spans are children of the call", async () => {
  const tracing = startTracing();
  const active: unknown[] = [];
  // As OpenTelemetry's instrumentation: it adds its own headers to each request.
  const instrument = (message: unknown) => {
    active.push(context.active());
    (message as { request: { addHeader(name: string, value: string): void } }).request.addHeader("traceparent", "mine");
  };
  const door = await startWithProvider({ script: (exchange) => exchange.answer(500, {}) });
  subscribe("undici:request:create", instrument);
  onTestFinished(() => {
    unsubscribe("undici:request:create", instrument);
  });
  await ask(door);
  await tracing.ended(2);
  expect(door.provider.exchanges.map(({ headers }) => headers.traceparent)).toEqual(["mine"]);
  const { spanContext } = tracing.span("chat in");
  const [, ofCall] = active as { getValue(key: symbol): { spanContext: typeof spanContext } }[];
  expect(ofCall?.getValue(Symbol.for("OpenTelemetry Context Key SPAN")).spanContext().spanId).toBe(
    tracing.span("chat in").spanContext().spanId,
  );
});

test("an SDK that came with another version of the API is heard", async () => {
  const tracing = startTracing();
  const key = Symbol.for("opentelemetry.js.api.1");
  const global = globalThis as { [key]?: object };
  const real = global[key] as { trace: TracerProvider; context: ContextManager; propagation: TextMapPropagator };
  const { trace, context, propagation } = real;
  // A copy of a newer version, as a dependency of ours would be, refuses to use this one.
  global[key] = { version: "1.0.4", trace, context, propagation } satisfies TraceApi & { version: string };
  onTestFinished(() => {
    global[key] = real;
  });
  const door = await startWithProvider({ script: (exchange) => exchange.answer(500, {}) });
  await ask(door, hi(), FROM_CALLER);
  await tracing.ended(2);
  expect(tracing.tree()).toEqual([["invoke_agent main", "chat in"]]);
  expect(readParent(door.provider.exchanges[0]?.headers.traceparent)).toEqual(identify(tracing.span("chat in")));
});

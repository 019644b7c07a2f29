import { context, propagation, type Span, type SpanOptions, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { expect, onTestFinished, test } from "vitest";
import { outsideTraces } from "../../src/observe/traces.ts";
import { captureLog } from "../support/capture-log.ts";
import { ask, askStream, hi } from "../support/chat.ts";
import { startWithTools } from "../tool-loop/with-tools.ts";
import { FROM_CALLER } from "./tracing.ts";

const fail = (): never => {
  throw new Error("the SDK is broken");
};

/** A real SDK, with something in it that throws. */
const FAULTS: Record<string, () => void> = {
  "a processor's onStart": () => register({ onStart: fail }),
  "a processor's onEnd": () => register({ onEnd: fail }),
  "every method of a span": () => {
    register({});
    const broken = { setAttributes: fail, setStatus: fail, end: fail, spanContext: fail } as unknown as Span;
    replace(trace, "getTracer", () => ({ startSpan: () => broken, startActiveSpan: fail }));
  },
  startSpan: () => {
    register({});
    replace(trace, "getTracer", () => ({
      startSpan: (_name: string, _options?: SpanOptions) => fail(),
      startActiveSpan: fail,
    }));
  },
  "context.with, before it runs": () => {
    register({});
    replace(context, "with", fail);
  },
  "context.with, when it has run": () => {
    register({});
    replace(context, "with", (_context: unknown, run: () => unknown) => {
      run();
      fail();
    });
  },
  "context.active": () => {
    register({});
    replace(context, "active", fail);
  },
  propagation: () => {
    register({});
    replace(propagation, "inject", fail);
    replace(propagation, "extract", fail);
  },
};

function register(processor: { onStart?: () => void; onEnd?: () => void }): void {
  const rest = { forceFlush: async () => {}, shutdown: async () => {} };
  const provider = new NodeTracerProvider({
    spanProcessors: [{ onStart: () => {}, onEnd: () => {}, ...rest, ...processor }],
  });
  provider.register();
  onTestFinished(async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    await provider.shutdown();
  });
}

/** In what the SDK has registered, where the gateway finds it. */
function replace(api: object, method: string, by: (...args: never[]) => unknown): void {
  const registered = (globalThis as Record<symbol, Record<string, object>>)[Symbol.for("opentelemetry.js.api.1")];
  const name = api === trace ? "trace" : api === context ? "context" : "propagation";
  const before = registered?.[name] as object;
  const broken = Object.assign(Object.create(before), { [method]: by });
  Object.assign(registered as object, { [name]: broken });
}

test.each(Object.keys(FAULTS))("an SDK that throws costs no answer, and is told of once: %s", async (fault) => {
  const log = captureLog();
  FAULTS[fault]?.();
  const door = await startWithTools({
    says: [
      { calls: [["echo", '{"text":"a"}']] },
      { text: "whole" },
      { calls: [["echo", '{"text":"b"}']] },
      { text: "streamed" },
    ],
    config: { logging: { level: "error", format: "json" } },
  });
  expect(await ask(door, hi(), FROM_CALLER)).toMatchObject({ status: 200, text: "whole" });
  expect((await askStream(door, hi(), FROM_CALLER)).text).toBe("streamed");
  expect(door.provider.exchanges).toHaveLength(4);
  await door.gateway.close();
  expect(log.lines()).toMatchObject([
    { level: 50, fault: expect.stringContaining("the SDK is broken"), msg: "OpenTelemetry's SDK threw: told once" },
  ]);
});

test.each(["context.active", "context.with, when it has run"])(
  "what is run in a span throws as it would alone, once: %s",
  (fault) => {
    FAULTS[fault]?.();
    let count = 0;
    const run = () => {
      count++;
      throw new TypeError("its own");
    };
    expect(() => outsideTraces(run)).toThrow("its own");
    expect(count).toBe(1);
  },
);

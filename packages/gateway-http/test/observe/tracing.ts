import { context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeTracerProvider, type ReadableSpan, type SpanProcessor } from "@opentelemetry/sdk-trace-node";
import { expect, onTestFinished, vi } from "vitest";

export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const CALLER_SPAN = "b7ad6b7169203331";
/** The headers of a caller that traces itself. */
export const FROM_CALLER = { traceparent: `00-${TRACE_ID}-${CALLER_SPAN}-01`, tracestate: "vendor=1" };

export interface Tracing {
  /** Those that ended, in the order they began. */
  readonly spans: readonly ReadableSpan[];
  /** Waits until as many spans have ended. */
  ended(count: number): Promise<void>;
  /** The only one of this name. */
  span(name: string): ReadableSpan;
  /** Names, each with those of its children behind it, in the order they began. */
  tree(): unknown[];
}

/** A real SDK, registered until the test ends. */
export function startTracing(): Tracing {
  // In the order they began, which their times do not tell: several begin in one tick of the clock.
  const begun: ReadableSpan[] = [];
  const ended = new Set<ReadableSpan>();
  const processor: SpanProcessor = {
    onStart: (span) => void begun.push(span),
    onEnd: (span) => void ended.add(span),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  onTestFinished(async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    await provider.shutdown();
  });
  const ordered = () => begun.filter((span) => ended.has(span));
  const tracing: Tracing = {
    get spans() {
      return ordered();
    },
    ended: (count) => vi.waitFor(() => expect(ended.size).toBeGreaterThanOrEqual(count), { timeout: 10_000 }),
    span(name) {
      const found = ordered().filter((span) => span.name === name);
      expect(found.map((span) => span.name)).toEqual([name]);
      return found[0] as ReadableSpan;
    },
    tree() {
      const all = ordered();
      const ids = new Set(all.map((span) => span.spanContext().spanId));
      const below = (parent: string | undefined): unknown[] =>
        all
          .filter(({ parentSpanContext }) =>
            parent === undefined ? !ids.has(parentSpanContext?.spanId ?? "") : parentSpanContext?.spanId === parent,
          )
          .map((span) => {
            const children = below(span.spanContext().spanId);
            return children.length > 0 ? [span.name, ...children] : span.name;
          });
      return below(undefined);
    },
  };
  return tracing;
}

/** What a `traceparent` says: the trace, and the span that sent it. */
export function readParent(value: unknown): { traceId: string; spanId: string } {
  const [, traceId = "", spanId = ""] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(value)) ?? [];
  return { traceId, spanId };
}

/** What tells others of a span. */
export function identify(span: ReadableSpan): { traceId: string; spanId: string } {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
}

/** The `error.type` of a span that failed; `undefined` for one that did not. */
export function failureOf({ status, attributes }: ReadableSpan): unknown {
  const code = attributes["error.type"];
  expect(status.code).toBe(code === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR);
  return code;
}

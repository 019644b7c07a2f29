/**
 * As much of OpenTelemetry's API as is used here, found where every copy of `@opentelemetry/api` 1.x leaves it.
 *
 * Not over the package: whoever has no SDK would pay its import, and a copy newer than the SDK's is silently deaf
 * (what `npx` starts never has the SDK's own). What it keeps under this symbol is the same in all of
 * them.
 */
export interface TraceApi {
  trace?: { getTracer(name: string): { startSpan(name: string, options: object, parent: TraceContext): Span } };
  context?: {
    active(): TraceContext;
    with<T>(context: TraceContext, run: () => T): T;
  };
  propagation?: {
    inject(context: TraceContext, carrier: TextMap, setter: object): void;
    extract(context: TraceContext, carrier: TextMap, getter: object): TraceContext;
  };
}

/** Immutable. What belongs together in a trace, and what else travels along. */
export interface TraceContext {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): TraceContext;
  deleteValue(key: symbol): TraceContext;
}

export interface Span {
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number }): unknown;
  end(): void;
}

export type Attributes = Readonly<Record<string, string | number | boolean | string[] | undefined>>;
/** Headers, or what else carries a context. */
export type TextMap = Record<string, string | string[] | undefined>;

const API = Symbol.for("opentelemetry.js.api.1");
/** Under which a context has its span. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

/** What an SDK has registered by now: one that comes late is used from then on. */
export function findTraceApi(): Required<TraceApi> | undefined {
  const { trace, context, propagation } = (globalThis as { [API]?: TraceApi })[API] ?? {};
  // An SDK that only measures, or that has no contexts, makes no traces.
  return trace && context ? { trace, context, propagation: propagation ?? NO_PROPAGATION } : undefined;
}

export const spanOf = (context: TraceContext): unknown => context.getValue(SPAN);
export const withSpan = (context: TraceContext, span: Span): TraceContext => context.setValue(SPAN, span);
export const withoutSpan = (context: TraceContext): TraceContext => context.deleteValue(SPAN);

const NO_PROPAGATION: Required<TraceApi>["propagation"] = { inject() {}, extract: (context) => context };

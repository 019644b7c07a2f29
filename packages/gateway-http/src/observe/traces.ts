import { channel } from "node:diagnostics_channel";
import { guarded, runGuarded } from "./guard-sdk.ts";
import {
  type Attributes,
  findTraceApi,
  spanOf,
  type TextMap,
  type TraceContext,
  withoutSpan,
  withSpan,
} from "./trace-api.ts";

export type { TraceContext };

/** Who made the spans, as an SDK is told. */
const SCOPE = "@openclaw/gateway-http";
/** As the API numbers them. */
const KINDS = { internal: 0, client: 2 } as const;
const ERROR = 2;
/** Longest text of an attribute, in UTF-16 code units: names and ids of others may be of any length. */
const MAX_LENGTH = 256;
/** Where OpenTelemetry's instrumentation of undici listens. Older ones add their headers to those that are there. */
const SENT_BY_UNDICI = channel("undici:request:create");

/** A span under way. */
export interface TraceSpan {
  /** Runs what is done in it: spans begun there, in whatever is awaited too, are its children. */
  within<T>(run: () => T): T;
  /**
   * Once; another time has no effect.
   * @param code of the error it ended with
   */
  end(code?: string, attributes?: Attributes): void;
}

/**
 * Begins a span, if an SDK of OpenTelemetry is there. Nothing that was said may be in an attribute.
 * @param attributes asked for only then
 * @param parent the context it belongs into; the active one when absent
 */
export function startSpan(
  name: string,
  kind: keyof typeof KINDS,
  attributes: () => Attributes,
  parent?: TraceContext,
): TraceSpan | undefined {
  const api = findTraceApi();
  if (!api) return undefined;
  const begun = guarded(() => {
    const around = parent ?? api.context.active();
    const options = { kind: KINDS[kind], attributes: known(attributes()) };
    const span = api.trace.getTracer(SCOPE).startSpan(name, options, around);
    return { span, context: withSpan(around, span) };
  });
  if (!begun) return undefined;
  const { span, context } = begun;
  let isOver = false;
  return {
    within: (run) => runGuarded((inside) => api.context.with(context, inside), run),
    end(code, more = {}) {
      if (isOver) return;
      isOver = true;
      guarded(() => span.setAttributes(known({ ...more, "error.type": code })));
      if (code !== undefined) guarded(() => span.setStatus({ code: ERROR }));
      guarded(() => span.end());
    },
  };
}

/**
 * What tells the next process of the span that is active here: `traceparent` and `tracestate`, or what else the SDK's
 * propagator says. Nothing without a span.
 */
export function traceFields(): Record<string, string> {
  const api = findTraceApi();
  if (!api) return {};
  const fields: Record<string, string> = {};
  guarded(() => {
    const active = api.context.active();
    if (spanOf(active)) api.propagation.inject(active, fields, SETTER);
  });
  // What the caller's side notes about itself is not for providers and servers of others.
  delete fields.baggage;
  return fields;
}

/** The same for a request that undici or `fetch` sends: nothing where these are traced themselves and add their own. */
export function traceHeaders(): Record<string, string> {
  return SENT_BY_UNDICI.hasSubscribers ? {} : traceFields();
}

/**
 * The context that a request came with: the active one, if what serves HTTP is traced itself, else that of the caller's
 * headers. `undefined` without an SDK.
 */
export function readTraceContext(headers: TextMap): TraceContext | undefined {
  const api = findTraceApi();
  if (!api) return undefined;
  return guarded(() => {
    const active = api.context.active();
    return spanOf(active) ? active : api.propagation.extract(active, headers, GETTER);
  });
}

/** Runs what belongs to no trace, whatever it is begun in. */
export function outsideTraces<T>(run: () => T): T {
  const context = findTraceApi()?.context;
  return context ? runGuarded((inside) => context.with(withoutSpan(context.active()), inside), run) : run();
}

/** Without what is not known, and with bounded texts. */
function known(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "string" ? value.slice(0, MAX_LENGTH) : value]],
    ),
  );
}

const SETTER = {
  set(carrier: TextMap, key: string, value: string) {
    carrier[key] = value;
  },
};
const GETTER = {
  get: (carrier: TextMap, key: string) => carrier[key.toLowerCase()],
  keys: Object.keys,
};

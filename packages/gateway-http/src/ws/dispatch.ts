import { requestFrameSchema, SOCKET_METHODS, type SocketMethodName } from "@openclaw/protocol/socket";
import type { AgentRegistry } from "../agents/registry.ts";
import { countRequest, type RateLimiter } from "../auth/rate-limiter.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Connection } from "./connection.ts";
import { describeIssue } from "./describe-issue.ts";
import type { Call, Method, MethodParts } from "./method.ts";
import { methods } from "./methods/all.ts";
import { parseFrame } from "./parse-frame.ts";
import { satisfies } from "./scopes.ts";
import { invalid, missingScope, SocketError } from "./socket-error.ts";

/** Requests of one connection that may be under way at a time. */
const MAX_PENDING = 1000;
/** Of a method's name that is told back. */
const MAX_NAME = 100;

export interface DispatchOptions extends MethodParts {
  current(): { readonly config: Config; readonly agents: AgentRegistry };
  /** Counts the requests of keys that have a limit, with those that come over HTTP. */
  readonly limiter: RateLimiter;
  /** Told of what was nobody's intention. */
  onBug(error: unknown, context: { method: string }): void;
}

/** Makes the function that answers a client's frames, after its `connect`. */
export function createDispatch({ current, limiter, onBug, ...parts }: DispatchOptions) {
  async function call(connection: Connection, id: string, name: SocketMethodName, given: unknown, trace?: string) {
    const { scope, params: schema } = SOCKET_METHODS[name];
    // One for all: which of them it is, its schema has settled.
    const method = methods[name] as Method<never>;
    if (scope && !satisfies(connection.scopes, scope)) throw missingScope(scope);
    if (method.needs && !connection.caller.scopes.has(method.needs)) throw missingScope(method.needs);
    const { data, error } = schema.safeParse(given ?? {});
    if (Array.isArray(given)) throw invalid(`invalid ${name} params: must be object`);
    if (error) throw invalid(`invalid ${name} params: ${describeIssue(error)}`);
    const asked: Call = {
      ...parts,
      ...current(),
      connection,
      traceparent: trace,
      respond: (payload) => connection.respond(id, payload),
      fail: (thrown, payload) => connection.fail(id, thrown, payload),
    };
    const result = await method.run(data as never, asked);
    if (result !== undefined) connection.respond(id, result);
  }

  async function answer(connection: Connection, frame: unknown): Promise<void> {
    const { data, error } = requestFrameSchema.safeParse(frame);
    const id = data?.id ?? idOf(frame);
    const method = data?.method ?? "invalid";
    connection.pending++;
    try {
      countRequest(limiter, connection.caller);
      if (!data) throw invalid(`invalid request frame: ${describeIssue(error)}`);
      if (method === "connect") throw invalid("connect is only valid as the first request");
      if (!isMethod(method)) throw invalid(`unknown method: ${method.slice(0, MAX_NAME)}`);
      if (connection.pending > MAX_PENDING) {
        throw new SocketError("UNAVAILABLE", `more than ${MAX_PENDING} requests are under way`, { retryable: true });
      }
      await call(connection, id, method, data.params, data.traceparent);
    } catch (thrown) {
      if (!(thrown instanceof SocketError) && !(thrown instanceof GatewayError)) onBug(thrown, { method });
      connection.fail(id, thrown);
    } finally {
      connection.pending--;
    }
  }

  return (connection: Connection, text: string): void => {
    const frame = parseFrame(text);
    // Upstream is silent about it, and its clients never send any.
    if (frame !== undefined) void answer(connection, frame);
  };
}

function isMethod(name: string): name is SocketMethodName {
  return Object.hasOwn(SOCKET_METHODS, name);
}

function idOf(frame: unknown): string {
  const id = typeof frame === "object" && frame !== null && "id" in frame ? frame.id : undefined;
  return typeof id === "string" && id !== "" ? id.slice(0, 1024) : "invalid";
}

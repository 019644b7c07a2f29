import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, RouteHandlerMethod } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";

/** What stands before a route. It throws to refuse, and waits only where it has to. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>;

export type Handlers = Partial<Record<"GET" | "POST" | "PATCH" | "DELETE", RouteHandlerMethod>>;

/**
 * Serves a path. Methods that have no handler are refused with 405 before anyone is asked who they are; `guard` runs
 * before the handlers of those that have one.
 */
export function serve(app: FastifyInstance, url: string, handlers: Handlers, guard?: Guard): void {
  const served = Object.keys(handlers);
  const allowed = served.includes("GET") ? [...served, "HEAD"] : served;
  for (const [method, handler] of Object.entries(handlers)) {
    app.route({ method, url, handler, ...(guard && { onRequest: toHook(guard) }) });
  }
  app.route({
    method: app.supportedMethods.filter((method) => !allowed.includes(method)),
    url,
    onRequest: async (_request, reply) => {
      reply.header("allow", allowed.join(", "));
      throw new GatewayError("method_not_allowed", `This path serves ${allowed.join(", ")}.`);
    },
    handler: () => {},
  });
}

/** Not async: it runs for every request and awaits next to nothing. */
function toHook(guard: Guard): onRequestHookHandler {
  return (request, reply, next) => {
    const waiting = guard(request, reply);
    if (waiting) void waiting.then(() => next(), next);
    else next();
  };
}

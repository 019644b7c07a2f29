import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";

/** What stands before a route. It throws to refuse. */
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
    app.route({ method, url, handler, ...(guard && { onRequest: async (request, reply) => guard(request, reply) }) });
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

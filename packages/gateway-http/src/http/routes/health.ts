import type { FastifyInstance } from "fastify";
import { serve } from "../serve.ts";

export interface ReadyState {
  /** Takes no new runs any more. */
  readonly draining: boolean;
  /** Takes runs, but not yet with all it will soon have. */
  readonly starting: boolean;
}

/** `/health`, `/healthz`: alive. `/ready`, `/readyz`: takes new runs. For probes: no auth, and nothing to learn. */
export function addHealthRoutes(app: FastifyInstance, state: ReadyState): void {
  for (const url of ["/health", "/healthz"]) serve(app, url, { GET: async () => ({ status: "ok" }) });
  for (const url of ["/ready", "/readyz"]) {
    serve(app, url, {
      GET: async (_request, reply) => {
        if (state.draining) return reply.code(503).send({ status: "draining" });
        return state.starting ? reply.code(503).send({ status: "starting" }) : { status: "ready" };
      },
    });
  }
}

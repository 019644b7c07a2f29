import type { FastifyInstance } from "fastify";
import { serve } from "../serve.ts";

/** `/health`, `/healthz`: alive. `/ready`, `/readyz`: takes new runs. For probes: no auth, and nothing to learn. */
export function addHealthRoutes(app: FastifyInstance, state: { readonly draining: boolean }): void {
  for (const url of ["/health", "/healthz"]) serve(app, url, { GET: async () => ({ status: "ok" }) });
  for (const url of ["/ready", "/readyz"]) {
    serve(app, url, {
      GET: async (_request, reply) =>
        state.draining ? reply.code(503).send({ status: "draining" }) : { status: "ready" },
    });
  }
}

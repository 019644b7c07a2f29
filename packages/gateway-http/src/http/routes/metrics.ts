import type { FastifyInstance } from "fastify";
import type { Metrics } from "../../observe/metrics.ts";
import { type Guard, serve } from "../serve.ts";

/** Prometheus' text format, version 0.0.4. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /metrics`, whether or not the endpoint is on. */
export function addMetricsRoute(app: FastifyInstance, guard: Guard, metrics: Pick<Metrics, "text">): void {
  serve(
    app,
    "/metrics",
    {
      GET: async (_request, reply) => {
        const text = await metrics.text();
        return reply.header("cache-control", "no-store").type(CONTENT_TYPE).send(text);
      },
    },
    guard,
  );
}

import { HEADERS } from "@openclaw/protocol";
import type { FastifyInstance } from "fastify";

/** One line for each request, with what ties it to its run's line. The path is without its query, which may be private. */
export function addRequestLog(app: FastifyInstance, write: (line: object) => void): void {
  app.addHook("onResponse", (request, reply, next) => {
    write({
      requestId: request.id,
      runId: reply.getHeader(HEADERS.runId),
      method: request.method,
      path: request.url.split("?", 1)[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    });
    next();
  });
}

import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { serve } from "../serve.ts";

interface Served {
  bytes: Buffer;
  etag: string;
}

/** `GET /openapi.json`: the API's description, made when it is first asked for. No auth: there is nothing to learn. */
export function addOpenApiRoute(app: FastifyInstance): void {
  let served: Promise<Served> | undefined;
  serve(app, "/openapi.json", {
    GET: async (request, reply) => {
      served ??= make();
      const { bytes, etag } = await served;
      reply.headers({ etag, "cache-control": "no-cache" });
      if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send();
      return reply.type("application/json; charset=utf-8").send(bytes);
    },
  });
}

/** RFC 9110 §13.1.2: a list, compared weakly, or `*`. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch?.trim() === "*") return true;
  return ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) === true;
}

async function make(): Promise<Served> {
  const [{ createDocument }, { VERSION }] = await Promise.all([
    import("../openapi/document.ts"),
    import("../../version.ts"),
  ]);
  const bytes = Buffer.from(JSON.stringify(createDocument(VERSION)));
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, etag };
}

import type { FastifyInstance } from "fastify";
import sirv from "sirv";

/**
 * What a page may do: load and call its own origin and nothing else. It holds a token, so nothing from outside may
 * run in it and no other page may frame it.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Serves the files of a folder at `/`, without auth: a page, beside the API it talks to. */
export function addWebRoot(app: FastifyInstance, folder: string): void {
  const serveFile = sirv(folder, { etag: true });
  app.get("/*", (request, reply) => {
    let missing = false;
    reply.header("content-security-policy", CONTENT_SECURITY_POLICY);
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string);
    // Without `dev`, sirv knows its files from the start and says at once whether it has one.
    serveFile(request.raw, reply.raw, () => {
      missing = true;
    });
    if (missing) reply.callNotFound();
    else reply.hijack();
  });
}

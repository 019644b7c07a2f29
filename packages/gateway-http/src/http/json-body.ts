import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import { GatewayError } from "../errors/gateway-error.ts";
import { fromFastify } from "./error-reply.ts";

/** Largest body, in bytes. */
export const BODY_LIMIT = 32 * 1024 * 1024;

/**
 * Refuses a body that is not plain JSON before it is read. A missing type and `text/plain` count as refused: a web
 * page can send both to any address without asking first.
 * @throws GatewayError 415
 */
export function requireJson(headers: IncomingHttpHeaders): void {
  requireJsonType(headers["content-type"]);
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new GatewayError("unsupported_media_type", "content-encoding must be identity.", {
      param: "content-encoding",
    });
  }
}

function requireJsonType(header = ""): void {
  // What nearly everybody sends.
  if (header === "application/json") return;
  // Split, not matched: a pattern with three runs of blanks takes a second for 32 KiB of them.
  const [type, ...parameters] = header.split(";").map((part) => part.trim().toLowerCase());
  const charsets = parameters.filter((parameter) => parameter.startsWith("charset"));
  if (type === "application/json" && charsets.every((charset) => /^charset="?utf-?8"?$/.test(charset))) return;
  throw new GatewayError("unsupported_media_type", "content-type must be application/json in UTF-8.", {
    param: "content-type",
  });
}

/**
 * As {@link requireJson}, where a body may be left out.
 * @throws GatewayError 415
 */
export function requireJsonIfAny(headers: IncomingHttpHeaders): void {
  const { "content-type": type, "content-length": length, "transfer-encoding": encoding } = headers;
  if (type !== undefined || encoding !== undefined || Number(length ?? 0) > 0) requireJson(headers);
}

/** Parses JSON bodies: strict UTF-8, and members that would reach an object's prototype are dropped. */
export function addJsonParser(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser("remove", "remove");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    // Many clients name the type although they send nothing. Where a body is needed, the route says so.
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body)) return done(new GatewayError("invalid_json", "The body is not valid UTF-8."));
    void parseJson(request, body.toString("utf8"), (error, value) => {
      if (error) done(fromFastify(error));
      else done(null, value);
    });
  });
}

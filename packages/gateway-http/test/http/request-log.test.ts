import { expect, test } from "vitest";
import { createApp } from "../../src/http/app.ts";
import { watchRequest } from "../../src/http/request-log.ts";

test("a request whose address cannot be told has its line all the same", async () => {
  const http = () => ({
    hosts: [],
    cors: { origins: [] },
    securityHeaders: { strictTransportSecurity: false as const },
  });
  const line = Promise.withResolvers<object>();
  const watch = { count: () => {}, logs: () => true, log: line.resolve };
  const app = createApp({
    http,
    isTrustedProxy() {
      throw new Error("not an address");
    },
    guardOrigin: false,
    onRequest: (request, reply) => watchRequest(watch, request, reply),
    onBug: () => {},
  });
  app.get("/", () => "fine");
  const { statusCode } = await app.inject({ url: "/", headers: { host: "localhost", "x-forwarded-for": "1.1.1.1" } });
  expect(statusCode).toBe(200);
  expect(await line.promise).toMatchObject({ path: "/", status: 200, address: undefined });
  await app.close();
});

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { ERRORS } from "@openclaw/protocol";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { FastifyInstance } from "fastify";
import { expect, test } from "vitest";
import { VERSION } from "../../src/version.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { fetchContract, fetchDocument } from "./openapi.ts";

const OFF = { gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } };

test("/openapi.json is OpenAPI 3.1 as the specification has it", async () => {
  const document = await fetchDocument(await startGateway());
  const validator = new Validator();
  const { valid, errors } = await validator.validate({ ...structuredClone(document) });
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe("3.1");
  expect(document.info.version).toBe(VERSION);
});

test("anyone may read it, also while the endpoint is off, and need not read it twice", async () => {
  const { url } = await startGateway({ config: OFF });
  const first = await fetch(`${url}/openapi.json`);
  expect(first.status).toBe(200);
  expect(first.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(await first.text()).not.toContain(TOKEN);
  const etag = first.headers.get("etag") ?? "";
  for (const known of [etag, `W/${etag}`, `"another", W/${etag}`, "*"]) {
    const again = await fetch(`${url}/openapi.json`, { headers: { "if-none-match": known } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  }
  const other = await fetch(`${url}/openapi.json`, { headers: { "if-none-match": '"another", W/"third"' } });
  expect(other.status).toBe(200);
});

test("every route is documented, and every documented operation is a route", async () => {
  const routes: string[] = [];
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook("onRoute", ({ method, url }) => {
      // Several methods at once are those that a path refuses; HEAD comes with GET.
      if (typeof method === "string" && method !== "HEAD") routes.push(`${method} ${url}`);
    });
  };
  subscribe("fastify.initialization", watch);
  const started = await startGateway().finally(() => unsubscribe("fastify.initialization", watch));
  const { paths } = await fetchDocument(started);
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const bare = (route: string) => route.replace(/\{\w+\}|:\w+|\*/g, "*");
  expect(documented.map(bare).sort()).toEqual(routes.map(bare).sort());
});

test("each path refuses the methods that it is not documented to serve, and says which those are", async () => {
  const started = await startGateway();
  const { document, expectShape } = await fetchContract(started);
  for (const [path, methods] of Object.entries(document.paths)) {
    const response = await started.request(path.replace(/\{\w+\}/g, "x"), { method: "PUT" });
    expect(response.status, path).toBe(405);
    const served = Object.keys(methods).map((method) => method.toUpperCase());
    const allowed = served.includes("GET") ? [...served, "HEAD"] : served;
    expect(response.headers.get("allow")?.split(", ").sort(), path).toEqual(allowed.sort());
    expectShape("Error", await response.json());
  }
});

test("every error code stands at some operation, under its own status", async () => {
  const { paths } = await fetchDocument(await startGateway());
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const told = new Set<string>();
  for (const { operationId, responses } of operations) {
    for (const [status, { "x-error-codes": codes = [] }] of Object.entries(responses)) {
      for (const code of codes) {
        told.add(code);
        const own = ERRORS[code as keyof typeof ERRORS].status;
        if (status !== "default") expect(own, `${operationId} ${code}`).toBe(Number(status));
      }
    }
  }
  // A path that is not served has no operation.
  expect([...told, "unknown_url"].sort()).toEqual(Object.keys(ERRORS).sort());
});

test("everything under /v1 needs a scope, and names are given once", async () => {
  const document = await fetchDocument(await startGateway());
  const ids: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const operation of Object.values(methods)) {
      ids.push(operation.operationId);
      if (path.startsWith("/v1/")) expect(operation["x-required-scope"], path).toMatch(/^(?:chat|models|sessions)$/);
    }
  }
  expect(new Set(ids).size).toBe(ids.length);
});

test("every example of a body is accepted by the schema it stands at", async () => {
  const { document, accepts } = await fetchContract(await startGateway());
  const bodies = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ requestBody }) => (requestBody ? Object.values(requestBody.content) : []));
  expect(bodies.length).toBeGreaterThan(4);
  for (const { schema, examples } of bodies) {
    const shape = (schema as { $ref: string }).$ref.split("/").at(-1) ?? "";
    for (const { value } of Object.values(examples)) expect(accepts(shape, value), shape).toBe(true);
  }
});

test("a shape is held to the members that it names", async () => {
  const { expectShape } = await fetchContract(await startGateway());
  const list = { object: "list", data: [], first_id: null, last_id: null, has_more: false };
  expectShape("SessionList", list);
  expect(() => expectShape("SessionList", { ...list, next: 1 })).toThrow("must NOT have additional properties");
  expect(() => expectShape("SessionList", { ...list, has_more: undefined })).toThrow();
  expect(() => expectShape("SessionList", { ...list, data: [{ id: "x" }] })).toThrow("must have required property");
});

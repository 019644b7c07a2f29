import type { RouteOptions } from "fastify";
import { beforeEach, expect, test, vi } from "vitest";
import { SCOPES } from "../../src/config/schema-auth.ts";
import { agentOf } from "../support/agents.ts";
import { authWith, bearer, hashOf, tokenOf } from "../support/keys.ts";
import { expectEnvelope } from "../support/raw-http.ts";
import { ROUTES } from "../support/routes.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

/** Every route that the gateway's app has, as `METHOD path`. */
const served = vi.hoisted(() => new Set<string>());

vi.mock(import("../../src/http/app.ts"), async (original) => {
  const { createApp } = await original();
  return {
    createApp(options) {
      const app = createApp(options);
      app.addHook("onRoute", ({ method, url }: RouteOptions) => {
        // Several at once are those that are refused with 405.
        if (typeof method === "string") served.add(`${method} ${url}`);
      });
      return app;
    },
  };
});

/** `HEAD` is served wherever `GET` is, behind the same guard. */
const ALL = Object.entries(ROUTES).flatMap(([route, scope]) => {
  const [method = "", url = ""] = route.split(" ");
  return [method, ...(method === "GET" ? ["HEAD"] : [])].map((method) => ({ method, url, scope }));
});

let runs = 0;
beforeEach(() => {
  runs = 0;
  served.clear();
});

async function start(keys: Parameters<typeof authWith>[0]) {
  const agent = agentOf(async function* () {
    runs++;
    yield "x";
  });
  const door = await startGateway({ agents: [agent], config: { gateway: { auth: authWith(keys) } } });
  /** Asks for nothing that is there, with a body that is as good as any. */
  async function send({ method, url }: { method: string; url: string }, headers: Record<string, string>) {
    const path = url.replace(/:\w+|\*/, "openclaw");
    const hasBody = method === "POST" || method === "PATCH";
    const body = hasBody ? { body: "{}" } : {};
    const type = hasBody ? { "content-type": "application/json" } : {};
    const response = await fetch(`${door.url}${path}`, { method, ...body, headers: { ...type, ...headers } });
    return { status: response.status, text: await response.text() };
  }
  return { ...door, send };
}

test("every route that is served stands in the table, and no other", async () => {
  await start({});
  expect([...served].sort()).toEqual(ALL.map(({ method, url }) => `${method} ${url}`).sort());
});

test("a route asks for its scope and is content with it", async () => {
  const one = Object.fromEntries(SCOPES.map((scope) => [scope, { scopes: [scope] }]));
  const { send } = await start({ ...one, nothing: { scopes: [] }, usual: {} });
  for (const route of ALL) {
    const allowed = (who: string) => {
      if (route.scope === null || who === "operator" || who === route.scope) return true;
      return who === "usual" && ["chat", "sessions", "models"].includes(route.scope);
    };
    for (const who of [...SCOPES, "nothing", "usual", "operator"]) {
      const { status, text } = await send(route, bearer(who));
      const label = `${route.method} ${route.url} with ${who}`;
      if (allowed(who)) expect([401, 403, 500], label).not.toContain(status);
      else expect(status, label).toBe(403);
      if (allowed(who) || route.method === "HEAD") continue;
      const { code, message } = expectEnvelope(status, text);
      expect([code, message], label).toEqual(["missing_scope", `This key has no scope "${route.scope}".`]);
    }
  }
  expect(runs).toBe(0);
});

test("who has no key that counts gets 401 everywhere", async () => {
  const { send, gateway } = await start({
    ann: { scopes: [...SCOPES] },
    old: { scopes: [...SCOPES], expiresAt: "2020-01-31" },
    gone: { scopes: [...SCOPES] },
  });
  const withoutGone = { ...authWith({ ann: {}, old: { expiresAt: "2020-01-31" } }) };
  await gateway.reload({
    logging: { level: "silent" },
    gateway: { auth: withoutGone, http: { endpoints: { chatCompletions: { enabled: true } } } },
  });
  const wrong: Record<string, string> = {
    nothing: "",
    "no token": "Bearer",
    "an expired key": `Bearer ${tokenOf("old")}`,
    "a key that was removed": `Bearer ${tokenOf("gone")}`,
    "a key's hash": `Bearer ${hashOf(tokenOf("ann"))}`,
    "a key's hash in hexadecimal digits": `Bearer ${hashOf(tokenOf("ann")).slice(7)}`,
    "a key's id": "Bearer ann",
    "a token cut short": `Bearer ${tokenOf("ann").slice(0, -1)}`,
    "another kind": `Basic ${Buffer.from(`ann:${tokenOf("ann")}`).toString("base64")}`,
    "the token without a kind": TOKEN,
  };
  for (const route of ALL.filter(({ scope }) => scope !== null)) {
    for (const [what, authorization] of Object.entries(wrong)) {
      const { status, text } = await send(route, { authorization });
      expect(status, `${route.method} ${route.url} with ${what}`).toBe(401);
      if (route.method === "HEAD") continue;
      expect(expectEnvelope(status, text).code).toBe("invalid_api_key");
      expect(text).not.toContain("sha256");
    }
  }
  expect(runs).toBe(0);
});

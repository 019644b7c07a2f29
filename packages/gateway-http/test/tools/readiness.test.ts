import { expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { createApp } from "../../src/http/app.ts";
import { addHealthRoutes } from "../../src/http/routes/health.ts";

test("/readyz is 503 while tools are waited for and while draining, and /healthz is not", async () => {
  const state = { starting: true, draining: false };
  const app = createApp({
    http: () => parseConfig({}).config.gateway.http,
    guardOrigin: false,
    onBug: () => {},
  });
  addHealthRoutes(app, state);
  onTestFinished(() => app.close());
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const ask = async (path: string) => {
    const response = await fetch(origin + path);
    return [response.status, await response.json()];
  };
  expect(await ask("/readyz")).toEqual([503, { status: "starting" }]);
  expect(await ask("/healthz")).toEqual([200, { status: "ok" }]);
  state.starting = false;
  expect(await ask("/readyz")).toEqual([200, { status: "ready" }]);
  state.draining = true;
  expect(await ask("/ready")).toEqual([503, { status: "draining" }]);
  state.starting = true;
  expect(await ask("/ready")).toEqual([503, { status: "draining" }]);
});

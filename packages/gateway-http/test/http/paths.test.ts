import { METHODS } from "node:http";
import { expect, test } from "vitest";
import { sayer } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, expectEnvelope, HEAD, readRaw } from "../support/raw-http.ts";
import { startGateway } from "../support/start-gateway.ts";

const AGENTS = {
  list: [
    { id: "main", aliases: ["gpt-4o", "org/model:free"] },
    { id: "beta", name: "Beta" },
  ],
};

test("trailing and doubled slashes are ignored", async () => {
  const { request } = await startGateway({ agents: [sayer("x")] });
  for (const path of ["/v1/chat/completions/", "//v1//chat///completions//", "/v1/chat/completions?x=1"]) {
    expect((await request(path, { body: hi() })).status, path).toBe(200);
  }
  for (const path of ["/v1/models/", "//v1/models", "/v1/models//openclaw", "/v1/models/openclaw/"]) {
    expect((await request(path)).status, path).toBe(200);
  }
});

test("every other method is 405 and names those that are served", async () => {
  const { port } = await startGateway();
  const allowed = {
    "/v1/chat/completions": ["POST", "GET", "HEAD"],
    "/v1/chat/completions/x": ["GET", "POST", "DELETE", "HEAD"],
    "/v1/chat/completions/x/cancel": ["POST"],
    "/v1/models": ["GET", "HEAD"],
    "/v1/models/x": ["GET", "HEAD"],
  };
  for (const [path, served] of Object.entries(allowed)) {
    for (const method of METHODS.filter((name) => name !== "CONNECT" && !served.includes(name))) {
      const text = await exchange(port, `${method} ${path} HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`);
      const { status, headers, body } = readRaw(text);
      expect({ method, status, allow: headers.allow }).toEqual({ method, status: 405, allow: served.join(", ") });
      if (method !== "HEAD") expect(expectEnvelope(status, body).code).toBe("method_not_allowed");
    }
  }
});

test("HEAD is GET without its body", async () => {
  const { port } = await startGateway();
  const [head, get] = await Promise.all(
    ["HEAD", "GET"].map(async (method) =>
      readRaw(await exchange(port, `${method} /v1/models HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`)),
    ),
  );
  expect(head).toMatchObject({ status: 200, body: "", headers: { "content-length": get?.headers["content-length"] } });
});

test("models are listed with what is known about their agents", async () => {
  const { request } = await startGateway({ config: { agents: AGENTS } });
  const list = await (await request("/v1/models")).json();
  expect(list).toMatchObject({ object: "list" });
  const { data } = list as { data: { id: string; created: number }[] };
  expect(data.map(({ id }) => id)).toEqual(["openclaw", "openclaw/default", "openclaw/main", "openclaw/beta"]);
  expect(data[3]).toEqual({
    id: "openclaw/beta",
    object: "model",
    created: 1_764_000_000,
    owned_by: "openclaw",
    name: "Beta",
    input: ["text"],
  });
});

test("a model is found by every name that chat accepts, however it is written", async () => {
  const { request } = await startGateway({ config: { agents: AGENTS } });
  const names = ["openclaw", "openclaw/beta", "openclaw%2Fbeta", "openclaw%2fbeta", "openclaw:beta", "openclaw%3Abeta"];
  names.push(
    "agent:beta",
    "OPENCLAW/Beta",
    "%20openclaw/beta%20",
    "gpt-4o",
    "GPT-4O",
    "org/model:free",
    "org%2Fmodel%3Afree",
  );
  for (const name of names) {
    const response = await request(`/v1/models/${name}`);
    expect(response.status, name).toBe(200);
    expect(await response.json()).toMatchObject({ id: decodeURIComponent(name).trim(), object: "model" });
    const body = hi({ model: decodeURIComponent(name) });
    expect((await request("/v1/chat/completions", { body })).status, name).toBe(200);
  }
});

test("a model that is not there is 404, whatever its name", async () => {
  const { request } = await startGateway({ config: { agents: AGENTS } });
  const names = [
    "nobody",
    "openclaw/nobody",
    "openclaw:beta:x",
    "openclaw/beta/x",
    "__proto__",
    "constructor",
    "%00",
    "%F0%9F%98%80",
  ];
  for (const name of [...names, "a".repeat(3000)]) {
    const response = await request(`/v1/models/${name}`);
    expect(expectEnvelope(response.status, await response.text()), name).toMatchObject({
      code: "model_not_found",
      param: "model",
    });
  }
});

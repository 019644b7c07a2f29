import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { authWith, bearer } from "../support/keys.ts";
import { exchange, expectEnvelope, readRaw } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

async function* nothing() {}

/** A request, of which every fault spoils its own part, so that several faults fit into one. */
interface Parts {
  enabled: boolean;
  host: string;
  path: string;
  method: string;
  authorization: string;
  contentType: string;
  /** Beside the body's own. */
  contentLength?: number;
  body: Record<string, unknown>;
  text?: string;
  sessionKey: string;
}

/** The faults in the order in which they are to be found, with the code each is answered with. */
const FAULTS: Record<string, Partial<Parts>> = {
  host_not_allowed: { host: "evil.example" },
  unknown_url: { path: "/v1/nothing" },
  endpoint_disabled: { enabled: false },
  method_not_allowed: { method: "PUT" },
  invalid_api_key: { authorization: "" },
  unsupported_media_type: { contentType: "text/plain" },
  request_too_large: { contentLength: 33 * 1024 * 1024 },
  invalid_json: { text: "{" },
  invalid_value: { body: { temperature: 3 } },
  model_not_found: { body: { model: "openclaw:nobody" } },
  agent_not_allowed: { authorization: bearer("ann").authorization, body: { model: "openclaw:other" } },
  invalid_session_key: { sessionKey: "agent:main" },
};

const GOOD: Parts = {
  enabled: true,
  host: "127.0.0.1",
  path: "/v1/chat/completions",
  method: "POST",
  authorization: `Bearer ${TOKEN}`,
  contentType: "application/json",
  body: { messages: [{ role: "user", content: "hi" }] },
  sessionKey: "",
};

async function send(...faults: Partial<Parts>[]) {
  let runs = 0;
  const agent = agentOf(async function* () {
    runs++;
    yield "x";
  });
  const bodies = faults.map((fault) => fault.body);
  const parts = { ...Object.assign({}, GOOD, ...faults), body: Object.assign({}, GOOD.body, ...bodies) } as Parts;
  const { port } = await startGateway({
    agents: [agent, agentOf(nothing, { id: "other" })],
    config: {
      gateway: {
        auth: authWith({ ann: { agents: ["main"] } }),
        http: { endpoints: { chatCompletions: { enabled: parts.enabled } } },
      },
    },
  });
  const text = parts.text ?? JSON.stringify(parts.body);
  const lines = [
    `${parts.method} ${parts.path} HTTP/1.1`,
    `host: ${parts.host}`,
    `authorization: ${parts.authorization}`,
    `content-type: ${parts.contentType}`,
    `content-length: ${parts.contentLength ?? Buffer.byteLength(text)}`,
    `x-openclaw-session-key: ${parts.sessionKey}`,
    "connection: close",
  ];
  return { ...readRaw(await exchange(port, `${lines.join("\r\n")}\r\n\r\n${text}`)), runs };
}

test("the request that the faults spoil is served", async () => {
  expect(await send()).toMatchObject({ status: 200, runs: 1 });
});

const codes = Object.keys(FAULTS);
for (const [index, earlier] of codes.entries()) {
  test(`${earlier} wins over every fault that is looked for later`, async () => {
    for (const later of codes.slice(index)) {
      const { status, body, runs } = await send(FAULTS[later] ?? {}, FAULTS[earlier] ?? {});
      expect(expectEnvelope(status, body).code, `${earlier} with ${later}`).toBe(earlier);
      expect(runs).toBe(0);
    }
  });
}

test("with every fault at once the first one is told", async () => {
  const { status, body } = await send(...Object.values(FAULTS));
  expect(expectEnvelope(status, body).code).toBe("host_not_allowed");
});

test("with the endpoint off every path of it is 404, right token or not", async () => {
  const { request } = await startGateway({
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: false } } } } },
  });
  for (const path of ["/v1/chat/completions", "/v1/models", "/v1/models/openclaw", "/v1/other", "/v1"]) {
    for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
      for (const authorization of [`Bearer ${TOKEN}`, "Bearer wrong", ""]) {
        const response = await request(path, { method, headers: { authorization } });
        const { code } = expectEnvelope(response.status, await response.text());
        expect(["endpoint_disabled", "unknown_url"]).toContain(code);
      }
    }
  }
  expect((await request("/healthz")).status).toBe(200);
});

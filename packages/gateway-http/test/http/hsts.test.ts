import { expect, test } from "vitest";
import type { ConfigInput } from "../../src/index.ts";
import { sayer } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, HEAD, post, readRaw } from "../support/raw-http.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";
import { exchangeTls, pemPath } from "../support/tls.ts";

const VALUE = "max-age=31536000; includeSubDomains";
const configOf = (strictTransportSecurity: false | string, more: object = {}): ConfigInput => ({
  logging: { level: "silent" },
  gateway: {
    auth: { mode: "token", token: TOKEN },
    ...more,
    http: { securityHeaders: { strictTransportSecurity }, endpoints: { chatCompletions: { enabled: true } } },
  },
});

const CLOSE = "connection: close\r\n";
const REQUESTS = {
  "an answer": post(JSON.stringify(hi()), CLOSE),
  "a stream": post(JSON.stringify(hi({ stream: true })), CLOSE),
  "a probe": `GET /healthz HTTP/1.1\r\n${HEAD}${CLOSE}\r\n`,
  "a refusal of ours": `GET /v1/models HTTP/1.1\r\nhost: evil.example\r\n${CLOSE}\r\n`,
  "a refusal of the framework's": `GET /v1/models/% HTTP/1.1\r\n${HEAD}${CLOSE}\r\n`,
  "a refusal of Node's": "hello?\r\n\r\n",
  "a refusal of headers": `GET /healthz HTTP/1.1\r\n${HEAD}x: ${"a".repeat(40_000)}\r\n\r\n`,
  "a refused Expect": post("{}", "expect: a-pony\r\n"),
};

test("strict-transport-security is on every answer, and once", async () => {
  const { port } = await startGateway({ agents: [sayer("x")], config: configOf(VALUE) });
  for (const [name, bytes] of Object.entries(REQUESTS)) {
    const text = await exchange(port, bytes);
    expect(text.match(/strict-transport-security/gi), name).toHaveLength(1);
    expect(readRaw(text).headers["strict-transport-security"], name).toBe(VALUE);
  }
});

test("and over TLS", async () => {
  const tls = { certPath: pemPath("gateway", "crt"), keyPath: pemPath("gateway", "key") };
  const { port } = await startGateway({ config: configOf(VALUE, { tls }) });
  for (const bytes of [REQUESTS["a probe"], REQUESTS["a refusal of Node's"]]) {
    expect(readRaw(await exchangeTls(port, bytes)).headers["strict-transport-security"]).toBe(VALUE);
  }
});

test("by default it is on none; a reload turns it on and off", async () => {
  const { port, gateway } = await startGateway({ agents: [sayer("x")], config: configOf(false) });
  const get = async () => readRaw(await exchange(port, REQUESTS["a probe"])).headers["strict-transport-security"];
  for (const bytes of Object.values(REQUESTS)) expect(await exchange(port, bytes)).not.toMatch(/strict-transport/i);
  await gateway.reload(configOf("max-age=0"));
  expect(await get()).toBe("max-age=0");
  await gateway.reload(configOf(false));
  expect(await get()).toBeUndefined();
});

test.each(["", "31536000", "max-age=1\r\nx: y", "max-age=-1", "max-age=1, max-age=2"])(
  "%j is a config error",
  async (value) => {
    await expect(startGateway({ config: configOf(value) })).rejects.toThrow(
      /gateway\.http\.securityHeaders\.strictTransportSecurity: must be false, or a value such as/,
    );
  },
);

import { connect } from "node:net";
import OpenAI from "openai";
import { Agent, fetch as fetchWith } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { sayer, stepper } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, expectEnvelope, HEAD, openSocket, post, readRaw } from "../support/raw-http.ts";
import { type StartOptions, startGateway, TOKEN } from "../support/start-gateway.ts";
import { CA, connectTls, exchangeTls, pemPath, tlsFiles } from "../support/tls.ts";

const PAIR = { certPath: pemPath("gateway", "crt"), keyPath: pemPath("gateway", "key") };

async function startTls(agents: StartOptions["agents"] = [sayer("Hello", " there")]) {
  const started = await startGateway({ agents, config: { gateway: { tls: PAIR } } });
  const dispatcher = new Agent({ connect: { ca: CA } });
  onTestFinished(() => dispatcher.destroy());
  const fetch = ((url: string, init: object) =>
    fetchWith(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
  return {
    ...started,
    fetch,
    client: new OpenAI({ baseURL: `${started.url}/v1`, apiKey: TOKEN, fetch, maxRetries: 0 }),
  };
}

test("the openai package streams over HTTPS, and says what was wrong", async () => {
  const { url, port, client } = await startTls();
  expect(url).toBe(`https://127.0.0.1:${port}`);
  const stream = await client.chat.completions.create({
    model: "openclaw",
    messages: [{ role: "user", content: "hi" }],
    stream: true,
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe("Hello there");
  await expect(client.models.retrieve("nobody")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
});

test("a client that goes ends its run", async () => {
  const { agent, say, aborted } = stepper();
  const { url, fetch } = await startTls([agent]);
  say("first");
  const leave = new AbortController();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(hi({ stream: true })),
    signal: leave.signal,
  });
  expect(response.status).toBe(200);
  leave.abort();
  expect(await aborted).toMatchObject({ code: "run_aborted" });
});

test("the limits of the edge hold over HTTPS too", async () => {
  const { port } = await startTls();
  const cases = [
    [`GET /v1/models HTTP/1.1\r\n${HEAD}x-long: ${"a".repeat(40_000)}\r\n\r\n`, 431, "request_too_large"],
    ["hello?\r\n\r\n", 400, "malformed_request"],
    ["GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n", 400, "malformed_request"],
    [post("{}", "expect: a-pony\r\n"), 417, "expectation_failed"],
  ] as const;
  for (const [bytes, status, code] of cases) {
    const answer = readRaw(await exchangeTls(port, bytes));
    expect(answer.status).toBe(status);
    expect(expectEnvelope(answer.status, answer.body).code).toBe(code);
  }
});

test("what comes without TLS is refused, and told why if it is HTTP; the gateway serves on", async () => {
  const { port, client } = await startTls();
  const { status, body } = readRaw(await exchange(port, post(JSON.stringify(hi()))));
  expect(expectEnvelope(status, body)).toMatchObject({
    code: "malformed_request",
    message: expect.stringMatching(/HTTPS/),
  });
  for (const bytes of ["hello?\r\n\r\n", "\x16\x03\x01\x00\x05hello", "\x00".repeat(1000)]) {
    expect(await exchange(port, bytes)).not.toContain("HTTP/1.1");
  }
  const gone = connect({ port, host: "127.0.0.1" }, () => gone.resetAndDestroy());
  await new Promise((resolve) => gone.once("close", resolve));
  expect((await client.models.list()).data).not.toHaveLength(0);
});

test("nothing older than TLS 1.2 is spoken", async () => {
  const { port } = await startTls();
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await expect(connectTls(port, old)).rejects.toThrow(/protocol version/);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const socket = await connectTls(port, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
  }
});

test("enabled: false is plain HTTP, and reads no files", async () => {
  const tls = { enabled: false, certPath: "/nowhere/tls.crt", keyPath: "/nowhere/tls.key" };
  const { url, request } = await startGateway({ config: { gateway: { tls } } });
  expect(url).toMatch(/^http:/);
  expect((await request("/healthz")).status).toBe(200);
});

test("connections in their handshake do not hold up closing", async () => {
  const { port, gateway } = await startTls();
  const silent = openSocket(port);
  await new Promise((resolve) => silent.socket.once("connect", resolve));
  // Whoever was accepted before this one is known to the server by now.
  await connectTls(port);
  await gateway.close();
  expect(await silent.closed).toBe("");
});

test("a renewed pair is served to new connections, and streams under way go on", async () => {
  const { agent, say, end } = stepper();
  const files = await tlsFiles();
  const { certPath, keyPath } = files;
  const { port } = await startGateway({ agents: [agent], config: { gateway: { tls: { certPath, keyPath } } } });
  const socket = await connectTls(port);
  let text = "";
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const first = new Promise<void>((resolve) => {
    socket.setEncoding("utf8").on("data", (data) => {
      text += data;
      if (text.includes("before")) resolve();
    });
  });
  socket.write(post(JSON.stringify(hi({ stream: true })), "connection: close\r\n"));
  say("before");
  await first;
  await Promise.all([files.replace("crt", "renewed"), files.replace("key", "renewed")]);
  const served = async () => {
    const socket = await connectTls(port);
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  await expect.poll(served, { timeout: 20_000, interval: 100 }).toBe("gateway-test-b");
  say("after");
  end();
  await closed;
  expect(text).toContain("after");
  expect(text).toContain("data: [DONE]");
});

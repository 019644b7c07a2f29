import { connect } from "node:net";
import { expect, test } from "vitest";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, expectEnvelope, HEAD, openSocket, post, readRaw } from "../support/raw-http.ts";
import { startGateway } from "../support/start-gateway.ts";

const HI = JSON.stringify(hi());
const STREAM = JSON.stringify(hi({ stream: true }));

test("what is no HTTP gets the envelope, and the connection is closed", async () => {
  const { port } = await startGateway();
  const nonsense = [
    "hello?\r\n\r\n",
    "FROB /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "GET /v1/models HTTP/9.9\r\nhost: localhost\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n",
    "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: a\x00b\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    `POST /v1/chat/completions HTTP/1.1\r\n${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /v1/chat/completions HTTP/1.1\r\n${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\n{}`,
    `POST /v1/chat/completions HTTP/1.1\r\n${HEAD}content-length: -1\r\n\r\n{}`,
    `POST /v1/chat/completions HTTP/1.1\r\n${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
  ];
  for (const bytes of nonsense) {
    const { status, headers, body } = readRaw(await exchange(port, bytes));
    expect(expectEnvelope(status, body), bytes).toMatchObject({ code: "malformed_request" });
    expect(headers).toMatchObject({ connection: "close", "content-length": String(Buffer.byteLength(body)) });
    expect(headers["x-request-id"]).toMatch(/^req_/);
  }
});

test("a refused connection is closed even when the client keeps its half open", async () => {
  const { port } = await startGateway();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  // A write is what tells the client that nobody is there any more.
  const gone = new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
  socket.resume();
  const writing = setInterval(() => socket.write("x"), 20);
  socket.write("hello?\r\n\r\n");
  expect((await gone).code).toMatch(/^(ECONNRESET|EPIPE)$/);
  clearInterval(writing);
});

test("HTTP/1.1 needs exactly one Host", async () => {
  const { port } = await startGateway();
  for (const lines of ["", "host: localhost\r\nHost: localhost\r\n"]) {
    const text = await exchange(port, `GET /healthz HTTP/1.1\r\n${lines}connection: close\r\n\r\n`);
    const { status, body } = readRaw(text);
    expect(expectEnvelope(status, body)).toMatchObject({ code: "malformed_request", param: "host" });
  }
});

test("HTTP/1.0 is served, streams too, and ends with the connection", async () => {
  const { port } = await startGateway({ agents: [sayer("old", " friend")] });
  const whole = readRaw(await exchange(port, post(HI).replace("HTTP/1.1", "HTTP/1.0")));
  expect(whole.status).toBe(200);
  expect(JSON.parse(whole.body).choices[0].message.content).toBe("old friend");
  const streamed = readRaw(await exchange(port, post(STREAM).replace("HTTP/1.1", "HTTP/1.0")));
  expect(streamed.headers["transfer-encoding"]).toBeUndefined();
  expect(streamed.body.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
});

test("garbage after a request whose stream runs cuts the connection instead of writing into the stream", async () => {
  const { agent, say, aborted } = stepper();
  const { port } = await startGateway({ agents: [agent] });
  const { socket, seen, closed } = openSocket(port);
  socket.write(post(STREAM));
  say("first");
  await seen(/"first"/);
  socket.write("garbage\r\n\r\n");
  const text = await closed;
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(text).not.toContain("malformed_request");
  // Neither end of a chunked answer nor [DONE]: no client takes this for a whole one.
  expect(text).not.toMatch(/\[DONE\]|\r\n0\r\n\r\n$/);
  expect(await aborted).toMatchObject({ code: "run_aborted" });
});

test("a second request on the connection waits for the stream of the first, whatever it asks", async () => {
  const { agent, say, end } = stepper();
  const { port } = await startGateway({ agents: [agent] });
  const { socket, seen, closed } = openSocket(port);
  socket.write(post(STREAM));
  say("first");
  await seen(/"first"/);
  socket.write(`GET /healthz HTTP/1.1\r\n${HEAD}\r\n${post("{}", "expect: a-pony\r\n")}`);
  end();
  const [stream = "", health = "", refusal = ""] = (await closed).split(/(?=HTTP\/1\.1 \d)/);
  expect(stream).toMatch(/data: \[DONE\]\n\n\r\n0\r\n\r\n$/);
  expect(readRaw(health)).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  const { status, body } = readRaw(refusal);
  expect(expectEnvelope(status, body).code).toBe("expectation_failed");
});

test("a body shorter than it says starts nothing; leaving ends the request", async () => {
  let runs = 0;
  const agent = agentOf(async function* () {
    runs++;
    yield "x";
  });
  const { port, request } = await startGateway({ agents: [agent] });
  const { socket, closed } = openSocket(port);
  socket.write(post(HI).slice(0, -1));
  socket.end();
  await closed;
  expect(runs).toBe(0);
  expect((await request("/v1/chat/completions", { body: hi() })).status).toBe(200);
  expect(runs).toBe(1);
});

test("a body longer than it says is JSON cut short, and its rest no request", async () => {
  const { port } = await startGateway();
  const lie = post(HI).replace(/content-length: \d+/, "content-length: 10");
  const text = await exchange(port, lie);
  const { status, body } = readRaw(text);
  expect(["invalid_json", "malformed_request"]).toContain(expectEnvelope(status, body.split("HTTP/1.1")[0] ?? "").code);
});

test("a body over 32 MiB is answered while it is still being sent", async () => {
  const { request } = await startGateway();
  const body = hi({ messages: [{ role: "user", content: "a".repeat(33 * 1024 * 1024) }] });
  const response = await request("/v1/chat/completions", { body });
  expect(expectEnvelope(response.status, await response.text()).code).toBe("request_too_large");
});

test("100-continue is answered, then the request", async () => {
  const { port } = await startGateway({ agents: [sayer("x")] });
  const text = await exchange(port, post(HI, "expect: 100-continue\r\nconnection: close\r\n"));
  expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test("an upgrade to something that is not served here is ignored", async () => {
  const { port } = await startGateway();
  const upgrade = `GET /v1/models HTTP/1.1\r\n${HEAD}connection: upgrade, close\r\nupgrade: h2c\r\n\r\n`;
  expect(readRaw(await exchange(port, upgrade)).status).toBe(200);
});

test("a connection that says nothing, or half a request, does not hold up closing", async () => {
  const { port, gateway, request } = await startGateway();
  const silent = openSocket(port);
  const half = openSocket(port);
  half.socket.write(post(HI).slice(0, -1));
  await request("/healthz");
  await gateway.close();
  await Promise.all([silent.closed, half.closed]);
});

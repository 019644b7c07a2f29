import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, expect, test, vi } from "vitest";
import { freePort } from "../support/free-port.ts";
import { introduce, sendJson, serveByHand, startEverything } from "./http-server.ts";
import { SOON, startTools } from "./start-tools.ts";

vi.setConfig({ testTimeout: 40_000 });

afterEach(() => {
  vi.useRealTimers();
});

test("server-everything over streamable HTTP is used, lost and found again", async () => {
  const port = await freePort();
  const server = await startEverything(port);
  const { lines, names, have, call } = startTools({ web: { url: `http://127.0.0.1:${port}/mcp` } });
  await have("web__echo");
  expect(await call("web__echo", { message: "hello" })).toEqual({ ok: true, text: "Echo: hello" });
  expect(await call("web__trigger-long-running-operation", { duration: 0.2, steps: 2 })).toMatchObject({ ok: true });

  server.kill("SIGKILL");
  await once(server, "exit");
  // Nobody called: the stream for news tells that it is gone.
  await vi.waitFor(() => expect(names()).toEqual([]), SOON);
  expect(lines).toEqual([
    { level: "warn", server: "web", reason: expect.stringContaining("ECONNREFUSED"), message: expect.any(String) },
  ]);

  await startEverything(port);
  await vi.waitFor(() => expect(names()).toContain("web__echo"), SOON);
  expect(lines.at(-1)).toMatchObject({ level: "info", server: "web" });
  expect(await call("web__echo", { message: "again" })).toEqual({ ok: true, text: "Echo: again" });
}, 90_000);

test("a call to a server that forgot the session fails, and the next session works", async () => {
  let sessions = 0;
  let isForgotten = false;
  const url = await serveByHand((message, response, request) => {
    if (message.method === "initialize") {
      response.setHeader("mcp-session-id", `s${++sessions}`);
      isForgotten = false;
    } else if (isForgotten && request.headers["mcp-session-id"]) return response.writeHead(404).end();
    if (introduce(message, response)) return;
    const text = String(request.headers["mcp-session-id"]);
    return sendJson(response, { jsonrpc: "2.0", id: message.id, result: { content: [{ type: "text", text }] } });
  });
  const { call, names } = startTools({ web: { url } });
  expect(await call("web__call")).toEqual({ ok: true, text: "s1" });
  isForgotten = true;
  expect(await call("web__call")).toEqual({
    ok: false,
    text: 'The server "web" of this tool gave no answer: it answered with HTTP 404.',
  });
  await vi.waitFor(() => expect(names()).toEqual([]), SOON);
  await vi.waitFor(async () => expect(await call("web__call")).toEqual({ ok: true, text: "s2" }), SOON);
});

test("configured headers are sent, and what is refused is told without them", async () => {
  const seen = new Set<unknown>();
  const url = await serveByHand((_message, response, request) => {
    seen.add(request.headers.authorization);
    response.writeHead(401).end("Bearer sk-secret is no good");
  });
  const { tools, lines } = startTools({ web: { url, headers: { Authorization: "Bearer sk-secret" } } });
  await tools.ready();
  await vi.waitFor(() => expect(lines).toHaveLength(1), SOON);
  expect([...seen]).toEqual(["Bearer sk-secret"]);
  expect(tools.list()).toEqual([]);
  expect(lines).toEqual([
    { level: "warn", server: "web", reason: "it answered with HTTP 401", message: "an MCP server is not there" },
  ]);
});

test("headers are not taken to another origin by a redirect", async () => {
  const seen: unknown[] = [];
  const other = await serveByHand((_message, response, request) => {
    seen.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  const url = await serveByHand((_message, response) => response.writeHead(307, { location: other }).end());
  const { tools, lines } = startTools({ web: { url, headers: { Authorization: "Bearer sk-secret" } } });
  await tools.ready();
  await vi.waitFor(() => expect(lines).toMatchObject([{ level: "warn", reason: "it answered with HTTP 307" }]), SOON);
  expect(seen).toEqual([]);
});

test("a server where nobody listens is told of once", async () => {
  const { tools, lines } = startTools({ web: { url: `http://127.0.0.1:${await freePort()}/mcp` } });
  await tools.ready();
  const told = [{ server: "web", reason: expect.stringContaining("ECONNREFUSED") }];
  await vi.waitFor(() => expect(lines).toMatchObject(told), SOON);
});

const EVENTS = { "content-type": "text/event-stream" };
const LARGE = "x".repeat(40 * 1024 * 1024);

test.each(["application/json", "text/event-stream"])("an answer of 40 MB as %s fails its call", async (type) => {
  const url = await serveByHand((message, response) => {
    if (introduce(message, response)) return;
    const result = { content: [{ type: "text", text: LARGE }] };
    const json = JSON.stringify({ jsonrpc: "2.0", id: message.id, result });
    response.writeHead(200, { "content-type": type });
    // With an id, after which the rest can be asked for.
    response.end(type === "application/json" ? json : `id: 1\ndata: ${json}\n\n`);
  });
  const { names, call } = startTools({ web: { url } });
  expect(await call("web__call")).toEqual({
    ok: false,
    text: 'The server "web" of this tool gave no answer: it sent a message larger than 32 MiB.',
  });
  await vi.waitFor(() => expect(names()).toEqual(["web__call"]), SOON);
});

test("an error of the server's own is the result, and its session goes on", async () => {
  const url = await serveByHand((message, response) => {
    if (introduce(message, response)) return;
    sendJson(response, {
      jsonrpc: "2.0",
      id: message.id,
      error: { code: -32602, message: "sk-secret knows no such city" },
    });
  });
  const { lines, call } = startTools({ web: { url } });
  // It may repeat what it was given.
  expect(await call("web__call")).toEqual({ ok: false, text: expect.stringContaining("*** knows no such city") });
  expect(await call("web__call")).toMatchObject({ ok: false });
  expect(lines).toEqual([]);
});

test("all pages of a list are read, unless it has no end", async () => {
  const serve = (pages: number) =>
    serveByHand((message, response) => {
      if (message.method !== "tools/list") return introduce(message, response);
      const at = Number(message.params?.cursor ?? 0);
      const tools = [{ name: `t${at}`, inputSchema: { type: "object" } }];
      const result = { tools, ...(at + 1 < pages && { nextCursor: String(at + 1) }) };
      return sendJson(response, { jsonrpc: "2.0", id: message.id, result });
    });
  const { lines, names, have } = startTools({ few: { url: await serve(3) }, many: { url: await serve(1e6) } });
  await have("few__t0");
  expect(names()).toEqual(["few__t0", "few__t1", "few__t2"]);
  const told = [{ server: "many", reason: "its list of tools has more than 64 pages" }];
  await vi.waitFor(() => expect(lines).toMatchObject(told), SOON);
});

test("a server that has no tools is there without any", async () => {
  let isThere = false;
  const url = await serveByHand((message, response) => {
    if (message.method === "notifications/initialized") isThere = true;
    if (message.method !== "initialize") return introduce(message, response);
    const { protocolVersion } = message.params ?? {};
    const result = { protocolVersion, capabilities: {}, serverInfo: { name: "prompts only", version: "1" } };
    return sendJson(response, { jsonrpc: "2.0", id: message.id, result });
  });
  const print = vi.spyOn(console, "debug");
  const { tools, lines } = startTools({ web: { url } });
  await tools.ready();
  await vi.waitFor(() => expect(isThere).toBe(true), SOON);
  expect(tools.list()).toEqual([]);
  expect(lines).toEqual([]);
  expect(print).not.toHaveBeenCalled();
});

test("closing ends the session at the server", async () => {
  const ended: unknown[] = [];
  const url = await serveByHand((message, response, request) => {
    if (message.method === "initialize") response.setHeader("mcp-session-id", "s1");
    if (message.method === "DELETE") ended.push(request.headers["mcp-session-id"]);
    if (!introduce(message, response)) response.writeHead(200).end();
  });
  const { tools, have } = startTools({ web: { url } });
  await have("web__call");
  await tools.close();
  // The server has a second for it; a machine that stands still may take longer.
  await vi.waitFor(() => expect(ended).toEqual(["s1"]), SOON);
  expect(tools.list()).toEqual([]);
});

const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";

test("a server of the newest protocol is used, and heard again when its stream for news broke", async () => {
  const names = ["one"];
  const streams: { id: unknown; response: ServerResponse }[] = [];
  const tell = (method: string, more = {}) => {
    for (const { id, response } of streams.slice(-1)) {
      const params = { _meta: { [SUBSCRIPTION]: id }, ...more };
      response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method, params })}\n\n`);
    }
  };
  const url = await serveByHand(({ id, method, params }, response) => {
    const answer = (result: object) =>
      sendJson(response, { jsonrpc: "2.0", id, result: { resultType: "complete", ...result } });
    const listed = { ttlMs: 0, cacheScope: "private" };
    if (method === "server/discover") {
      answer({ ...listed, supportedVersions: ["2026-07-28"], capabilities: { tools: { listChanged: true } } });
    } else if (method === "tools/list") {
      answer({ ...listed, tools: names.map((name) => ({ name, inputSchema: { type: "object" } })) });
    } else if (method === "tools/call") {
      answer({ content: [{ type: "text", text: JSON.stringify(params?.arguments) }] });
    } else if (method === "subscriptions/listen") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      streams.push({ id, response });
      tell("notifications/subscriptions/acknowledged", { notifications: { toolsListChanged: true } });
    } else response.writeHead(id === undefined ? 202 : 404).end();
  });
  const { lines, names: listed, have, call } = startTools({ new: { url } });
  await have("new__one");
  expect(listed()).toEqual(["new__one"]);
  expect(await call("new__one", { a: 1 })).toEqual({ ok: true, text: '{"a":1}' });
  names.push("two");
  tell("notifications/tools/list_changed");
  await vi.waitFor(() => expect(listed()).toEqual(["new__one", "new__two"]), SOON);
  // What was told while nobody listened is seen too.
  names.push("three");
  streams[0]?.response.destroy();
  await vi.waitFor(() => expect(listed()).toContain("new__three"), SOON);
  await vi.waitFor(() => expect(streams).toHaveLength(2), SOON);
  names.push("four");
  tell("notifications/tools/list_changed");
  await vi.waitFor(() => expect(listed()).toContain("new__four"), SOON);
  expect(lines).toEqual([]);
});

test("a server that does not answer is given up after 30 s", async () => {
  let asked = 0;
  const url = await serveByHand(() => {
    asked += 1;
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { tools, lines } = startTools({ web: { url } });
  void tools.ready();
  await vi.waitFor(() => expect(asked).toBeGreaterThan(0), SOON);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lines).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.waitFor(() => expect(lines).toMatchObject([{ reason: "it gave no answer within 30 s" }]), SOON);
});

test.each([
  ["says nothing", () => {}],
  ["has begun to answer", (response: ServerResponse) => response.writeHead(200, EVENTS).flushHeaders()],
])("a stopped call to a server that %s is cancelled there, and its connection closed", async (_, begin) => {
  const seen: string[] = [];
  const url = await serveByHand((message, response) => {
    if (message.method === "notifications/cancelled") seen.push("cancelled");
    if (introduce(message, response)) return;
    seen.push("called");
    response.once("close", () => seen.push("closed"));
    begin(response);
  });
  const { call } = startTools({ web: { url } });
  const stop = new AbortController();
  const waiting = call("web__call", {}, stop.signal);
  await vi.waitFor(() => expect(seen).toEqual(["called"]), SOON);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await vi.waitFor(() => expect(seen).toEqual(["called", "cancelled", "closed"]), SOON);
});

test.each([
  ["text/event-stream", "breaks off", 'data: {"jsonrpc"'],
  ["Text/Event-Stream; charset=utf-8", "ends early", ": nothing more\n\n"],
])("a call whose answer as %s %s has failed", async (type, how, begin) => {
  const url = await serveByHand((message, response) => {
    if (introduce(message, response)) return;
    response.writeHead(200, { "content-type": type });
    response.write(begin, () => (how === "breaks off" ? response.destroy() : response.end()));
  });
  const { call } = startTools({ web: { url } });
  expect(await call("web__call")).toEqual({ ok: false, text: "The answer broke off." });
});

test("the size of events is counted whatever the case of their type, and not that of the stream", async () => {
  const note = JSON.stringify({
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { data: "x".repeat(2 ** 24) },
  });
  const url = await serveByHand((message, response) => {
    if (introduce(message, response)) return;
    const result = { content: [{ type: "text", text: "fine" }] };
    response.writeHead(200, { "content-type": "Text/Event-Stream" });
    for (let count = 0; count < 3; count++) response.write(`data: ${note}\n\n`);
    response.end(`data: ${JSON.stringify({ jsonrpc: "2.0", id: message.id, result })}\n\n`);
  });
  const { call } = startTools({ web: { url } });
  expect(await call("web__call")).toEqual({ ok: true, text: "fine" });
});

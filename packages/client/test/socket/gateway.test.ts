import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGateway, defineAgent, GatewayError } from "@openclaw/gateway-http";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "../../src/index.ts";
import { createSocket, type SocketOptions, type WatchedSession } from "../../src/socket/index.ts";
import { failureOf, TOKEN } from "../support/client.ts";
import { expectNoUnhandled } from "../support/unhandled.ts";

expectNoUnhandled();
vi.setConfig({ testTimeout: 60_000 });

/** Runs that say what they are told to, by what was asked of them. */
const told = new Map<string, { say(text: string): void; end(): void }>();
const main = defineAgent({
  id: "main",
  async *run({ messages }, { signal }) {
    const asked = String(messages.at(-1)?.content);
    if (asked === "fail") {
      yield "half";
      throw new GatewayError("context_length_exceeded", "Too long.");
    }
    if (!asked.startsWith("wait")) {
      yield* ["You ", "said: ", asked];
      yield { type: "usage", usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } };
      return;
    }
    const queue: (string | undefined)[] = [];
    let wake = () => {};
    const put = (text: string | undefined) => {
      queue.push(text);
      wake();
    };
    signal.addEventListener("abort", () => put(undefined), { once: true });
    told.set(asked, { say: put, end: () => put(undefined) });
    for (;;) {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const text = queue.shift();
      if (text === undefined) return;
      yield text;
    }
  },
});

let stateDir: string;
let url: string;
let gateway: ReturnType<typeof createGateway>;

async function start(port = 0): Promise<void> {
  const auth = { mode: "token" as const, token: TOKEN };
  const http = { endpoints: { chatCompletions: { enabled: true } } };
  gateway = createGateway({ config: { logging: { level: "silent" }, gateway: { port, auth, http } }, agents: [main] });
  ({ url } = await gateway.listen());
}

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "openclaw-socket-"));
  vi.stubEnv("OPENCLAW_STATE_DIR", stateDir);
  await start();
});
afterAll(async () => {
  await gateway.close({ drainTimeoutMs: 0 });
  vi.unstubAllEnvs();
  await rm(stateDir, { recursive: true, force: true });
});

/** A socket whose connection can be cut: what was sent and not heard yet is lost. */
function open(options: Partial<SocketOptions> = {}) {
  const connections: WebSocket[] = [];
  class Kept extends WebSocket {
    constructor(address: string) {
      super(address);
      connections.push(this);
    }
  }
  const socket = createSocket({ baseUrl: url, token: TOKEN, WebSocket: Kept, ...options });
  onTestFinished(() => socket.close());
  return {
    socket,
    cut() {
      const connection = connections.at(-1);
      if (!connection) return;
      connection.onmessage = null;
      connection.onclose?.({ code: 1006, reason: "" } as CloseEvent);
      connection.close();
    },
  };
}

async function until<T>(look: () => T): Promise<NonNullable<T>> {
  return vi.waitFor(
    () => {
      const value = look();
      if (!value) throw new Error("not yet");
      return value as NonNullable<T>;
    },
    { timeout: 10_000, interval: 5 },
  );
}

test("a talk", async () => {
  const { socket } = open();
  const hello = await socket.connect();
  expect(hello).toMatchObject({ type: "hello-ok", protocol: 4, auth: { scopes: ["operator.read", "operator.write"] } });
  const run = await socket.send("talk", "hi");
  const pieces: string[] = [];
  for await (const piece of run) pieces.push(piece);
  expect(pieces.join("")).toBe("You said: hi");
  expect(await run.done()).toMatchObject({
    text: "You said: hi",
    stopReason: "stop",
    usage: { input: 3, output: 4, totalTokens: 7 },
  });
  const { messages } = await socket.history("talk", { limit: 50 });
  expect(messages).toMatchObject([
    { role: "user", content: "hi", idempotencyKey: `${run.runId}:user` },
    { role: "assistant", __openclaw: { seq: 2, runId: run.runId } },
  ]);
  const { sessions } = await socket.request("sessions.list", { limit: 10 });
  expect(sessions.map(({ key }) => key)).toContain("agent:main:talk");
  expect(await socket.request("agents.list")).toMatchObject({ defaultId: "main" });
});

test("a wrong token ends it, and is not told", async () => {
  const { socket } = open({ token: "some-other-token" });
  const error = await failureOf(socket.connect());
  expect(error).toMatchObject({ name: "SocketError", details: { code: "AUTH_TOKEN_MISMATCH" } });
  expect(JSON.stringify(error) + error.message).not.toContain("some-other-token");
  expect(socket.status).toEqual({ state: "closed", error });
});

test("refusals and failures", async () => {
  const { socket } = open();
  expect(await failureOf(socket.send("agent::x", "hi"))).toMatchObject({
    name: "SocketError",
    code: "INVALID_REQUEST",
  });
  expect(await failureOf(socket.send("failures", " "))).toMatchObject({ message: "message or attachment required" });
  expect(await failureOf(socket.request("sessions.reset", { key: "failures" }))).toMatchObject({
    code: "FORBIDDEN",
    details: { missingScope: "operator.admin" },
  });
  const run = await socket.send("failures", "fail");
  expect(await failureOf(run.done())).toMatchObject({ name: "RunError", message: "Too long.", kind: "context_length" });
  expect(run.text).toBe("half");
});

test("a run is ended by `abort()`, by its signal, and by whoever ends all of its session", async () => {
  const { socket } = open();
  const leaving = new AbortController();
  const runs = [
    await socket.send("one", "wait one"),
    await socket.send("two", "wait two", { signal: leaving.signal }),
    await socket.send("three", "wait three"),
  ];
  await until(() => told.has("wait one") && told.has("wait two") && told.has("wait three"));
  const failures = runs.map((run) => failureOf(run.done()));
  expect(await runs[0]?.abort()).toBe(true);
  leaving.abort();
  expect(await socket.abort("three")).toMatchObject({ aborted: true, runIds: [runs[2]?.runId] });
  for (const error of await Promise.all(failures)) expect(error).toMatchObject({ name: "AbortError" });
  await vi.waitFor(async () => {
    const { sessions } = await socket.request("sessions.list");
    expect(sessions.filter(({ hasActiveRun }) => hasActiveRun)).toEqual([]);
  }, 10_000);
});

test("a run goes on when its connection is cut, and each piece comes once", async () => {
  const { socket, cut } = open();
  const run = await socket.send("cut", "wait cut");
  const agent = await until(() => told.get("wait cut"));
  const pieces: string[] = [];
  const read = (async () => {
    for await (const piece of run) pieces.push(piece);
  })();
  agent.say("one ");
  await until(() => run.text === "one ");
  cut();
  agent.say("two ");
  await socket.connect();
  await until(() => run.text === "one two ");
  agent.say("three ");
  await until(() => run.text === "one two three ");
  cut();
  agent.say("four");
  agent.end();
  // Over before anybody comes back.
  const other = open().socket;
  await vi.waitFor(async () => expect((await other.history("cut")).inFlightRun).toBeUndefined(), 10_000);
  await socket.connect();
  await read;
  expect(pieces.join("")).toBe("one two three four");
  expect(pieces.slice(0, 3)).toEqual(["one ", "two ", "three "]);
  expect(await run.done()).toMatchObject({ text: "one two three four", stopReason: "stop" });
});

test("how a run ended while the connection was away", async () => {
  const { socket, cut } = open();
  const other = open().socket;
  const aborted = await socket.send("away", "wait away");
  (await until(() => told.get("wait away"))).say("half");
  await until(() => aborted.text === "half");
  cut();
  await other.abort("away");
  await vi.waitFor(async () => expect((await other.history("away")).inFlightRun).toBeUndefined(), 10_000);
  await socket.connect();
  expect(await failureOf(aborted.done())).toMatchObject({ name: "AbortError" });
  const params = { sessionKey: "away", message: "fail", idempotencyKey: "failed" };
  await failureOf((await other.send(params)).done());
  expect(await failureOf(socket.send(params))).toMatchObject({ name: "SocketError", code: "UNAVAILABLE" });
  const again = { ...params, message: "hi", idempotencyKey: "again" };
  await (await other.send(again)).done();
  expect(await (await socket.send(again)).done()).toMatchObject({ text: "You said: hi", stopReason: "stop" });
});

test("a watch shows what others say, over HTTP too, from before and across cuts", async () => {
  const { socket, cut } = open();
  const seen: WatchedSession[] = [];
  const client = createClient({ baseUrl: url, token: TOKEN });
  const ask = async (content: string) => {
    const messages = [{ role: "user" as const, content }];
    const stream = await client.chat.completions.create({ messages, stream: true }, { sessionKey: "watched" });
    return stream.text();
  };
  const shown = () => {
    const last = seen.at(-1);
    return [last?.messages.map(({ role, content }) => `${role} ${JSON.stringify(content)}`), last?.running?.text];
  };
  const first = ask("wait watched");
  const agent = await until(() => told.get("wait watched"));
  agent.say("one ");
  socket.watch("watched", (session) => seen.push(session));
  await vi.waitFor(() => expect(shown()).toEqual([['user "wait watched"'], "one "]), 10_000);
  agent.say("two");
  await vi.waitFor(() => expect(shown()[1]).toBe("one two"), 10_000);
  agent.end();
  await first;
  const answer = 'assistant [{"type":"text","text":"one two"}]';
  await vi.waitFor(() => expect(shown()).toEqual([['user "wait watched"', answer], undefined]), 10_000);
  cut();
  expect(seen.at(-1)?.isLive).toBe(false);
  await ask("hi");
  await socket.connect();
  const all = [...['user "wait watched"', answer, 'user "hi"'], 'assistant [{"type":"text","text":"You said: hi"}]'];
  await vi.waitFor(() => expect([...shown(), seen.at(-1)?.isLive]).toEqual([all, undefined, true]), 10_000);
});

test("a watch shows the branch that is gone to, and nothing of a session that is deleted", async () => {
  const sent: string[] = [];
  class Counted extends WebSocket {
    override send(text: string): void {
      sent.push(JSON.parse(text).method);
      super.send(text);
    }
  }
  const { socket } = open({ WebSocket: Counted });
  const client = createClient({ baseUrl: url, token: TOKEN });
  const key = "agent:main:branches";
  const say = async (message: string) => (await socket.send("branches", message)).done();
  for (const message of ["one", "two"]) await say(message);
  const { data } = await client.sessions.messages(key);
  let last: WatchedSession | undefined;
  socket.watch("branches", (session) => {
    last = session;
  });
  const said = () => last?.messages.filter(({ role }) => role === "user").map(({ content }) => content);
  await vi.waitFor(() => expect(said()).toEqual(["one", "two"]), 10_000);
  await client.sessions.setHead(key, data[1]?.id as string);
  await vi.waitFor(() => expect(said()).toEqual(["one"]), 10_000);
  const readings = () => sent.filter((method) => method === "chat.history").length;
  const before = readings();
  await say("drei");
  await vi.waitFor(() => expect([last?.messages.length, last?.running]).toEqual([4, undefined]), 10_000);
  expect(said()).toEqual(["one", "drei"]);
  // What is told is not read again.
  expect(readings()).toBe(before);
  await client.sessions.setHead(key, data[3]?.id as string);
  await vi.waitFor(() => expect(said()).toEqual(["one", "two"]), 10_000);
  await client.sessions.delete(key);
  await vi.waitFor(() => expect(last).toMatchObject({ messages: [], isLive: true, error: undefined }), 10_000);
});

test("a message whose answer was lost with the gateway is not said to the next one", async () => {
  let isCut = false;
  class Lossy extends WebSocket {
    override send(text: string): void {
      // It arrives, and nothing comes back.
      if (!isCut && JSON.parse(text).method === "chat.send") {
        this.onmessage = null;
        isCut = true;
      }
      super.send(text);
    }
  }
  const { socket } = open({ WebSocket: Lossy });
  const sending = failureOf(socket.send("lost", "hi"));
  const other = open().socket;
  await vi.waitFor(async () => expect((await other.history("lost")).messages).toHaveLength(2), 10_000);
  other.close();
  await gateway.close({ drainTimeoutMs: 0 });
  await start(Number(new URL(url).port));
  expect(await sending).toMatchObject({ name: "ConnectionError" });
  expect((await socket.history("lost")).messages).toHaveLength(2);
});

test("another gateway in the place of the first one has the answers that were given", async () => {
  let mayReturn = Promise.resolve();
  // Asked for before each connection: there is none to the first gateway any more, however long that takes to close.
  const { socket, cut } = open({ token: () => mayReturn.then(() => TOKEN) });
  const other = open().socket;
  const given = await socket.send("restart", "wait given");
  (await until(() => told.get("wait given"))).say("one ");
  await until(() => given.text === "one ");
  const ended = await socket.send("ended", "wait ended");
  (await until(() => told.get("wait ended"))).say("half");
  await until(() => ended.text === "half");
  const another = Promise.withResolvers<void>();
  mayReturn = another.promise;
  cut();
  const agent = await until(() => told.get("wait given"));
  agent.say("two");
  agent.end();
  await vi.waitFor(async () => expect((await other.history("restart")).inFlightRun).toBeUndefined(), 10_000);
  other.close();
  await gateway.close({ drainTimeoutMs: 0 });
  await start(Number(new URL(url).port));
  another.resolve();
  const { server } = await socket.connect();
  expect(server.bootId).toEqual(expect.any(String));
  expect(await given.done()).toMatchObject({ text: "one two", stopReason: "stop" });
  expect(await failureOf(ended.done())).toMatchObject({ name: "StreamTruncatedError" });
  expect(ended.text).toBe("half");
});

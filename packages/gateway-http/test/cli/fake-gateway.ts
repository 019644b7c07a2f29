import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

interface Asked {
  /** Of the run. */
  runId: string;
  /** How often this method was asked before. */
  before: number;
  respond(answer: { ok: boolean; payload?: unknown; error?: object }): void;
  tell(chat: object): void;
  cut(): void;
}

interface FakeOptions {
  tickIntervalMs?: number;
  /** `chat` events, after `agent` was asked; their `runId` is filled in. */
  chats?: object[];
  /** To `agent`; the payload `ok` is that of a run that said nothing. Without one there is none. */
  answer?: { ok: boolean; payload?: unknown; error?: object };
  /** In place of what is answered to a method otherwise, which is a refusal. */
  methods?: Record<string, (asked: Asked) => void>;
}

/** Something that says hello as a gateway does, and then what the test wants. */
export async function startFakeGateway({ tickIntervalMs = 30_000, chats = [], answer, methods = {} }: FakeOptions) {
  const asked: string[] = [];
  const server = createServer((_, response) => response.end('{"status":"ready"}'));
  const sockets = new WebSocketServer({ server });
  const own: NonNullable<FakeOptions["methods"]> = {
    connect: ({ respond }) => respond({ ok: true, payload: hello(tickIntervalMs) }),
    agent({ runId, respond, tell }) {
      respond({ ok: true, payload: { ...about(runId), status: "accepted", acceptedAt: 1 } });
      for (const chat of chats) tell(chat);
      if (answer) respond({ ...answer, ...(answer.payload === "ok" && { payload: done(runId) }) });
    },
    ...methods,
  };
  sockets.on("connection", (socket) => {
    const send = (frame: object) => socket.send(JSON.stringify(frame));
    send({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } });
    socket.send("no JSON");
    socket.on("message", (data) => {
      const { id, method, params } = JSON.parse(String(data));
      const runId = params.idempotencyKey ?? params.runId;
      const before = asked.filter((each) => each === method).length;
      asked.push(method);
      const answerWith = own[method] ?? (({ respond }) => respond({ ok: false, error: { code: "X", message: "no" } }));
      answerWith({
        runId,
        before,
        respond: (response) => send({ type: "res", id, ...response }),
        tell: (chat) => send({ type: "event", event: "chat", payload: { ...chat, runId } }),
        cut: () => socket.terminate(),
      });
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

export function about(runId: string) {
  return { runId, sessionKey: "x", agentId: "main" };
}

/** The last answer to a run that said this. */
export function done(runId: string, text?: string) {
  const payloads = text === undefined ? [] : [{ text, mediaUrl: null }];
  const meta = { durationMs: 1, agentMeta: { sessionId: "s" } };
  return { runId, status: "ok", summary: "completed", result: { payloads, meta } };
}

/** A `chat` event of a run that has said this so far. */
export function saying(content: unknown, deltaText = "") {
  const message = { role: "assistant", content, timestamp: 1 };
  return { sessionKey: "x", seq: 1, state: "delta", deltaText, message };
}

function hello(tickIntervalMs: number): object {
  return {
    type: "hello-ok",
    protocol: 4,
    server: { version: "1", connId: "c", bootId: "b" },
    features: { methods: [], events: [] },
    snapshot: { presence: [], health: { ok: true, ts: 1 }, stateVersion: { presence: 0, health: 0 }, uptimeMs: 1 },
    auth: { role: "operator", scopes: [] },
    policy: { maxPayload: 1, maxBufferedBytes: 1, tickIntervalMs },
  };
}

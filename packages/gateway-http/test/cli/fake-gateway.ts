import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

interface FakeOptions {
  tickIntervalMs?: number;
  /** `chat` events, after `agent` was asked; their `runId` is filled in. */
  chats?: object[];
  /** To `agent`; the payload `ok` is that of a run that said nothing. Without one there is none. */
  answer?: { ok: boolean; payload?: unknown; error?: object };
}

/** Something that says hello as a gateway does, and then what the test wants. */
export async function startFakeGateway({ tickIntervalMs = 30_000, chats = [], answer }: FakeOptions) {
  const asked: string[] = [];
  const server = createServer((_, response) => response.end('{"status":"ready"}'));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    const send = (frame: object) => socket.send(JSON.stringify(frame));
    send({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } });
    socket.on("message", (data) => {
      const { id, method, params } = JSON.parse(String(data));
      asked.push(method);
      if (method === "connect") {
        return send({ type: "res", id, ok: true, payload: hello(tickIntervalMs) });
      }
      const runId = params.idempotencyKey;
      if (method !== "agent") return send({ type: "res", id, ok: false, error: { code: "X", message: "no" } });
      socket.send("no JSON");
      send({
        type: "res",
        id,
        ok: true,
        payload: { runId, sessionKey: "x", agentId: "main", status: "accepted", acceptedAt: 1 },
      });
      for (const chat of chats) send({ type: "event", event: "chat", payload: { ...chat, runId } });
      const meta = { durationMs: 1, agentMeta: { sessionId: "s" } };
      const done = { runId, status: "ok", summary: "completed", result: { payloads: [], meta } };
      if (answer) send({ type: "res", id, ...answer, ...(answer.payload === "ok" && { payload: done }) });
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

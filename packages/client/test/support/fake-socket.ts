import type { HelloOk } from "@openclaw/protocol/socket";
import { vi } from "vitest";
import type { SocketOptions } from "../../src/socket/index.ts";

export const HELLO: HelloOk = {
  type: "hello-ok",
  protocol: 4,
  server: { version: "1.0.0", connId: "connection" },
  features: { methods: [], events: [] },
  snapshot: { presence: [], health: { ok: true, ts: 1 }, stateVersion: { presence: 0, health: 0 }, uptimeMs: 1 },
  auth: { role: "operator", scopes: ["operator.read", "operator.write"] },
  policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
};

interface Request {
  type: "req";
  id: string;
  method: string;
  params: Record<string, string>;
}

/** One connection of a client, as its server sees it. */
export class FakeSocket {
  onmessage!: (event: { data: unknown }) => void;
  onclose!: (event: { code: number; reason: string }) => void;
  onerror!: (event: object) => void;
  readonly url: string;
  /** What the client has sent. */
  readonly requests: Request[] = [];
  /** The codes it has closed with. */
  readonly closed: (number | undefined)[] = [];
  onRequest: ((request: Request) => void) | undefined;
  /** Whether the test itself answers whoever wants to hear of sessions. */
  isMute = false;
  #seq = 0;

  constructor(url: string) {
    this.url = url;
  }
  send(text: string): void {
    const request: Request = JSON.parse(text);
    this.requests.push(request);
    this.onRequest?.(request);
    if (request.method !== "sessions.subscribe" || this.isMute || this.onRequest) return;
    queueMicrotask(() => this.receive({ type: "res", id: request.id, ok: true, payload: { subscribed: true } }));
  }
  close(code?: number): void {
    this.closed.push(code);
  }

  receive(frame: unknown): void {
    this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  event(event: string, payload: unknown, seq = ++this.#seq): void {
    this.#seq = seq;
    this.receive({ type: "event", event, payload, seq });
  }
  challenge(): void {
    this.receive({ type: "event", event: "connect.challenge", payload: { nonce: "nonce", ts: 1 } });
  }
  /** Answers the last request, or the last one of this method. */
  answer(payload: unknown, method?: string): void {
    this.receive({ type: "res", id: this.last(method).id, ok: true, payload });
  }
  refuse(error: object, method?: string): void {
    this.receive({ type: "res", id: this.last(method).id, ok: false, error });
  }
  /** The handshake, to its end. */
  accept(hello: HelloOk = HELLO): void {
    this.challenge();
    this.answer(hello, "connect");
  }
  cut(code = 1006, reason = ""): void {
    this.onclose({ code, reason });
  }
  last(method?: string): Request {
    const request = this.requests.findLast((one) => method === undefined || one.method === method);
    if (!request) throw new Error(`No request ${method ?? ""} in ${this.requests.map((one) => one.method)}`);
    return request;
  }
}

/** A class to give as `WebSocket`, and what was made of it. */
export function fakeWebSocket(onOpen?: (socket: FakeSocket) => void) {
  const sockets: FakeSocket[] = [];
  class WebSocket extends FakeSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
      if (onOpen) queueMicrotask(() => onOpen(this));
    }
  }
  return { sockets, WebSocket: WebSocket as NonNullable<SocketOptions["WebSocket"]> };
}

/** Lets everything happen that needs no time, or so many milliseconds of fake timers. */
export async function settle(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

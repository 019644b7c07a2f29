import { once } from "node:events";
import type { EventFrame, HelloOk, ResponseFrame } from "@openclaw/protocol/socket";
import { type ClientOptions, WebSocket } from "ws";
import type { StartedGateway } from "./start-gateway.ts";

export interface SocketClientOptions {
  token?: string | undefined;
  auth?: object;
  scopes?: readonly string[];
  caps?: readonly string[];
  /** Over what `connect` is otherwise asked with. */
  params?: object;
  ws?: ClientOptions;
  path?: string;
}

/** What was refused. */
export class Refused extends Error {
  readonly frame: ResponseFrame;

  constructor(frame: ResponseFrame) {
    super(`${frame.error?.code}: ${frame.error?.message}`);
    this.frame = frame;
  }
}

export const ALL_SCOPES = ["operator.read", "operator.write", "operator.admin"];

/** A client that keeps all it was sent, in order. */
export class SocketClient {
  readonly frames: (EventFrame | ResponseFrame)[] = [];
  readonly socket: WebSocket;
  /** How the connection ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting = new Set<() => void>();
  #lastId = 0;

  constructor(url: string, { path = "/", ws }: SocketClientOptions = {}) {
    this.socket = new WebSocket(`${url.replace(/^http/, "ws")}${path}`, ws);
    this.socket.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => {
        resolve({ code, reason: String(reason) });
        this.#wake();
      });
    });
    this.socket.on("error", () => {});
  }

  get events(): EventFrame[] {
    return this.frames.filter((frame) => frame.type === "event");
  }

  /** Payloads of these events so far. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
  payloads(event: string): any[] {
    return this.events.filter((frame) => frame.event === event).map(({ payload }) => payload);
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first frame, of those that came and those to come, that fits. Rejects when the connection ends before. */
  async until<Frame = EventFrame | ResponseFrame>(
    // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
    fits: (frame: any) => boolean,
    from = 0,
  ): Promise<Frame> {
    for (let index = from; ; index++) {
      while (index >= this.frames.length) {
        if (this.socket.readyState >= WebSocket.CLOSING) throw new Error("the connection ended");
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
      if (fits(this.frames[index])) return this.frames[index] as Frame;
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
  async untilEvent(event: string, fits: (payload: any) => boolean = () => true): Promise<any> {
    const frame = await this.until<EventFrame>((some) => some.event === event && fits(some.payload));
    return frame.payload;
  }

  /** Asks, and gives the frame of the first answer. */
  async ask(method: string, params?: unknown, id = `t:${++this.#lastId}`): Promise<ResponseFrame> {
    const from = this.frames.length;
    this.send({ type: "req", id, method, ...(params !== undefined && { params }) });
    return this.until<ResponseFrame>((frame) => frame.type === "res" && frame.id === id, from);
  }

  /** Asks, and gives the payload. @throws Refused */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
  async request(method: string, params?: unknown): Promise<any> {
    const frame = await this.ask(method, params);
    if (!frame.ok) throw new Refused(frame);
    return frame.payload;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** The params of a `connect` that works. */
export function connectParams({ token, auth, scopes = ALL_SCOPES, caps = [], params }: SocketClientOptions = {}) {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "gateway-client", version: "1.0.0", platform: "linux", mode: "backend" },
    scopes,
    caps,
    ...((auth || token !== undefined) && { auth: auth ?? { token } }),
    ...params,
  };
}

/** A socket that is open and was challenged. */
export async function openSocket(url: string, options: SocketClientOptions = {}): Promise<SocketClient> {
  const client = new SocketClient(url, options);
  if (client.socket.readyState === WebSocket.CONNECTING) await once(client.socket, "open");
  await client.untilEvent("connect.challenge");
  return client;
}

/** A client that was let in. @throws Refused */
export async function connectSocket(
  url: string,
  options: SocketClientOptions = {},
): Promise<SocketClient & { hello: HelloOk }> {
  const client = await openSocket(url, options);
  const hello = (await client.request("connect", connectParams(options))) as HelloOk;
  return Object.assign(client, { hello });
}

/** What a client that is not let in is told, and how its connection ends. */
export async function refused(client: SocketClient, params: unknown) {
  const { ok, error } = await client.ask("connect", params);
  if (ok) throw new Error("it was let in");
  return { error, ...(await client.closed) };
}

/** How many there are, as the gateway says. */
export async function countSockets({ request }: Pick<StartedGateway, "request">): Promise<number> {
  const { sockets } = (await (await request("/status")).json()) as { sockets: { open: number } };
  return sockets.open;
}

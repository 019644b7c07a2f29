import type { Target } from "./request.ts";
import { WebSocketClient } from "./web-socket.ts";

const CHALLENGE = '{"type":"event","event":"connect.challenge"';
const RESPONSE = '{"type":"res"';
const DIGIT_0 = 48;

export type SocketOptions = {
  scope: "operator.read" | "operator.write";
  /** Gets a piece of the read buffer, to be used up at once. */
  onEvent(bytes: Buffer): void;
  onFailure(reason: string): void;
};

/** A client of the Gateway socket. It counts the events that it missed. */
export class GatewaySocket {
  /** Events that were numbered and did not come. */
  missed = 0;
  events = 0;
  /** Settles when the gateway has said hello; a socket that is refused fails its answer. */
  readonly ready: Promise<void>;
  readonly #client: WebSocketClient;
  readonly #options: SocketOptions;
  readonly #hello: () => void;
  readonly #connect: string;
  #seq = 0;
  #requests = 0;

  constructor({ port, token }: Target, options: SocketOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#hello = resolve;
    this.#options = options;
    const client = { id: "bench", version: "1", platform: "linux", mode: "backend" };
    const params = { minProtocol: 4, maxProtocol: 4, client, scopes: [options.scope], auth: { token } };
    this.#connect = JSON.stringify({ type: "req", id: "hello", method: "connect", params });
    this.#client = new WebSocketClient(port, {
      onText: (bytes) => this.#take(bytes),
      onEnd: (reason) => {
        options.onFailure(`socket: ${reason}`);
        // Nobody waits for it for ever.
        resolve();
      },
    });
  }

  /** An answer that is a refusal is a failure; others are not waited for: their events tell the same. */
  request(method: string, params: object): void {
    this.#client.send(JSON.stringify({ type: "req", id: `${this.#requests++}`, method, params }));
  }

  destroy(): void {
    this.#client.destroy();
  }

  #take(bytes: Buffer): void {
    if (startsWith(bytes, RESPONSE)) {
      const answer = JSON.parse(bytes.toString()) as { id: string; ok: boolean };
      if (!answer.ok) this.#options.onFailure(`socket: ${bytes.toString("latin1", 0, 300)}`);
      if (answer.id === "hello") this.#hello();
    } else if (startsWith(bytes, CHALLENGE)) this.#client.send(this.#connect);
    else {
      const seq = readSeq(bytes);
      this.missed += seq - this.#seq - 1;
      this.#seq = seq;
      this.events++;
      this.#options.onEvent(bytes);
    }
  }
}

/** Most events are for somebody else: they are not parsed. */
function startsWith(bytes: Buffer, text: string): boolean {
  return bytes.length > text.length && bytes.toString("latin1", 0, text.length) === text;
}

/** The number of an event, which is its last member. */
function readSeq(bytes: Buffer): number {
  let seq = 0;
  let unit = 1;
  for (let at = bytes.length - 2; at >= 0; at--, unit *= 10) {
    const digit = (bytes[at] as number) - DIGIT_0;
    if (digit < 0 || digit > 9) break;
    seq += digit * unit;
  }
  return seq;
}

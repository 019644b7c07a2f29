import { connect, type Socket } from "node:net";

/** `onText` gets a piece of the read buffer, to be used up at once. `onEnd` comes once, with what happened. */
export type Listener = { onText(bytes: Buffer): void; onEnd(reason: string): void };

const TEXT = 1;
const PING = 9;
const PONG = 10;
const FIN = 0x80;
const MASKED = 0x80;
const WITH_16 = 126;
const WITH_64 = 127;
const KEY = Buffer.alloc(16).toString("base64");
// One buffer for all sockets: a slice is used up before the next read.
const readBuffer = Buffer.allocUnsafe(256 * 1024);

/**
 * A WebSocket client that does what is needed here and no more: a thousand that look on must not cost more to read than
 * to write. A mask of zeros leaves the bytes as they are.
 */
export class WebSocketClient {
  readonly #socket: Socket;
  readonly #listener: Listener;
  /** What has come of a frame that is not all there. */
  #carry: Buffer | null = null;
  #isOpen = false;
  #hasEnded = false;

  constructor(port: number, listener: Listener) {
    this.#listener = listener;
    const callback = (length: number) => {
      this.#take(readBuffer.subarray(0, length));
      return true;
    };
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer: readBuffer, callback } });
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", () => this.#end("the connection was closed"));
    const head = [
      "GET / HTTP/1.1",
      `host: 127.0.0.1:${port}`,
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      `sec-websocket-key: ${KEY}`,
    ];
    this.#socket.write(`${head.join("\r\n")}\r\n\r\n`);
  }

  send(text: string): void {
    this.#write(TEXT, Buffer.from(text));
  }

  destroy(): void {
    this.#hasEnded = true;
    this.#socket.destroy();
  }

  #write(opcode: number, payload: Buffer): void {
    const { length } = payload;
    const small = length < WITH_16;
    const head = Buffer.alloc(small ? 6 : 8);
    head[0] = FIN | opcode;
    head[1] = MASKED | (small ? length : WITH_16);
    if (!small) head.writeUInt16BE(length, 2);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  #take(slice: Buffer): void {
    const bytes = this.#carry ? Buffer.concat([this.#carry, slice]) : slice;
    const at = this.#isOpen ? this.#readFrames(bytes, 0) : this.#readHead(bytes);
    this.#carry = at < bytes.length ? Buffer.from(bytes.subarray(at)) : null;
  }

  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const status = bytes.toString("latin1", 9, 12);
    if (status !== "101") {
      this.#end(`status ${status}: ${bytes.toString("latin1", end + 4)}`);
      return bytes.length;
    }
    this.#isOpen = true;
    return this.#readFrames(bytes, end + 4);
  }

  /** @returns where the first frame begins that is not all there */
  #readFrames(bytes: Buffer, from: number): number {
    let at = from;
    while (at + 2 <= bytes.length && !this.#hasEnded) {
      const short = bytes[at + 1] as number;
      const start = at + (short === WITH_16 ? 4 : short === WITH_64 ? 10 : 2);
      if (start > bytes.length) return at;
      const length =
        short === WITH_16 ? bytes.readUInt16BE(at + 2) : short === WITH_64 ? bytes.readUInt32BE(at + 6) : short;
      if (start + length > bytes.length) return at;
      const payload = bytes.subarray(start, start + length);
      const first = bytes[at] as number;
      if (first === (FIN | TEXT)) this.#listener.onText(payload);
      else if (first === (FIN | PING)) this.#write(PONG, payload);
      else this.#end(`a frame that begins with ${first}: ${payload.toString("latin1", 2)}`);
      at = start + length;
    }
    return this.#hasEnded ? bytes.length : at;
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.destroy();
    this.#listener.onEnd(reason);
  }
}

import { connect, type Socket } from "node:net";

/** Who wants the answer of one request. `onEnd` comes exactly once; a message there means that the answer was cut. */
export type Exchange = {
  onHead(status: number): void;
  onBody(slice: Buffer): void;
  onEnd(failure: string | null): void;
};

type State = "idle" | "head" | "size" | "data" | "data-end" | "trailer" | "length" | "until-close";

const MAX_HEAD = 4096;
// One buffer for all sockets: a slice is used up before the next read, and 2,000 buffers of 64 KiB would be the load.
const readBuffer = Buffer.allocUnsafe(256 * 1024);

/**
 * A keep-alive HTTP/1.1 client over one socket. `node:http` spends more on an answer than the gateways measured here,
 * and the load client must not be what is measured.
 */
export class HttpSocket {
  readonly #port: number;
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  #state: State = "idle";
  #head = "";
  #remaining = 0;
  #lineLength = 0;
  #isStalled = false;

  constructor(port: number) {
    this.#port = port;
  }

  send(request: Buffer, exchange: Exchange): void {
    this.#exchange = exchange;
    this.#state = "head";
    this.#head = "";
    this.#socket ??= this.#connect();
    this.#socket.write(request);
  }

  /** Reads no more: a client that has gone to sleep with its connection open. */
  stall(): void {
    this.#isStalled = true;
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const callback = (length: number) => {
      this.#consume(readBuffer.subarray(0, length));
      return !this.#isStalled;
    };
    const socket = connect({
      port: this.#port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer: readBuffer, callback },
    });
    socket.on("error", (error) => this.#end(error.message));
    socket.on("close", () => {
      this.#socket = undefined;
      this.#end(this.#state === "until-close" ? null : "the connection was closed before the answer ended");
    });
    return socket;
  }

  #end(failure: string | null): void {
    if (this.#state === "idle") return;
    this.#state = "idle";
    this.#exchange?.onEnd(failure);
  }

  #consume(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== "idle") {
      if (this.#state === "data" || this.#state === "length") {
        const stop = Math.min(at + this.#remaining, bytes.length);
        this.#exchange?.onBody(bytes.subarray(at, stop));
        this.#remaining -= stop - at;
        at = stop;
        if (this.#remaining > 0) continue;
        if (this.#state === "data") this.#state = "data-end";
        else this.#end(null);
      } else if (this.#state === "until-close") {
        this.#exchange?.onBody(bytes.subarray(at));
        return;
      } else if (this.#state === "head") at = this.#readHead(bytes, at);
      else this.#readFraming(bytes[at++] as number);
    }
  }

  /** One byte of the chunked coding between the data. */
  #readFraming(byte: number): void {
    const isLineEnd = byte === 10;
    if (this.#state === "data-end") {
      if (isLineEnd) this.#toSize();
    } else if (this.#state === "trailer") {
      if (isLineEnd && this.#lineLength === 0) this.#end(null);
      else if (isLineEnd) this.#lineLength = 0;
      else if (byte !== 13) this.#lineLength++;
    } else if (isLineEnd) {
      this.#state = this.#remaining === 0 ? "trailer" : "data";
      this.#lineLength = 0;
    } else if (byte >= 48 && byte <= 57) this.#remaining = this.#remaining * 16 + byte - 48;
    else if (byte !== 13) this.#remaining = this.#remaining * 16 + (byte | 32) - 87;
  }

  #toSize(): void {
    this.#state = "size";
    this.#remaining = 0;
  }

  #readHead(bytes: Buffer, at: number): number {
    const known = this.#head.length;
    // Not all of it: behind the head there may be a megabyte of answer.
    const stop = Math.min(at + MAX_HEAD, bytes.length);
    this.#head += bytes.toString("latin1", at, stop);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) return stop;
    const head = this.#head.slice(0, end).toLowerCase();
    this.#exchange?.onHead(Number(head.slice(9, 12)));
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (head.includes("\r\ntransfer-encoding: chunked")) this.#toSize();
    else if (length === undefined) this.#state = "until-close";
    else {
      this.#state = "length";
      this.#remaining = Number(length);
      if (this.#remaining === 0) this.#end(null);
    }
    return at + end + 4 - known;
  }
}

import { randomBytes } from "node:crypto";
import { openSocket, type RawSocket } from "./raw-http.ts";

export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** The head of an upgrade. `more` are header lines; one that is there by itself is replaced. */
export function upgradeHead(more: Record<string, string | undefined> = {}, first = "GET / HTTP/1.1"): string {
  const lines = {
    host: "127.0.0.1",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": KEY,
    "sec-websocket-version": "13",
    ...more,
  };
  const text = Object.entries(lines).map(([name, value]) => (value === undefined ? "" : `${name}: ${value}\r\n`));
  return `${first}\r\n${text.join("")}\r\n`;
}

interface FrameOptions {
  opcode?: number;
  fin?: boolean;
  masked?: boolean;
  /** The three reserved bits. */
  reserved?: number;
}

export const OPCODE = { more: 0, text: 1, bytes: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame of a client, as RFC 6455 §5.2 has it on the wire. */
export function clientFrame(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODE.text, fin = true, masked = true, reserved = 0 } = options;
  const body = Buffer.from(payload);
  const length = body.length < 126 ? body.length : body.length < 65_536 ? 126 : 127;
  const head = Buffer.alloc(2 + (length === 126 ? 2 : length === 127 ? 8 : 0));
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | length;
  if (length === 126) head.writeUInt16BE(body.length, 2);
  if (length === 127) head.writeBigUInt64BE(BigInt(body.length), 2);
  if (!masked) return Buffer.concat([head, body]);
  const mask = randomBytes(4);
  for (let index = 0; index < body.length; index++) body[index] = (body[index] as number) ^ (mask[index % 4] as number);
  return Buffer.concat([head, mask, body]);
}

/** A connection that was upgraded and challenged, to send any bytes over. */
export async function openRawSocket(port: number): Promise<RawSocket> {
  const raw = openSocket(port);
  raw.socket.write(upgradeHead());
  await raw.seen(/connect\.challenge.*\}\}/);
  return raw;
}

/** The code of the close frame that a text of frames ends with. */
export function closeCodeOf(text: string): number | undefined {
  const bytes = Buffer.from(text, "latin1");
  for (let at = bytes.indexOf("\r\n\r\n") + 4; at < bytes.length; ) {
    const length = (bytes[at + 1] as number) & 0x7f;
    const start = at + 2 + (length === 126 ? 2 : length === 127 ? 8 : 0);
    if (((bytes[at] as number) & 0xf) === OPCODE.close) return length >= 2 ? bytes.readUInt16BE(start) : 1005;
    at =
      start +
      (length === 126 ? bytes.readUInt16BE(at + 2) : length === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : length);
  }
  return undefined;
}

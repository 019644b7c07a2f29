import { connect, type Socket } from "node:net";
import { ERRORS, type ErrorBody, type ErrorCode, isErrorCode } from "@openclaw/protocol";
import { expect } from "vitest";
import { TOKEN } from "./start-gateway.ts";

/** An answer, as its bytes said. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The head of a request that would be served, for tests that write their own. */
export const HEAD = `host: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n`;

/** A whole POST of a chat completion. `more` are header lines. */
export function post(body: string, more = ""): string {
  return `POST /v1/chat/completions HTTP/1.1\r\n${HEAD}${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export interface RawSocket {
  socket: Socket;
  /** What came so far, as Latin-1. */
  text(): string;
  /** Settles once the text matches. */
  seen(pattern: RegExp): Promise<void>;
  /** Everything, once the gateway has closed the connection. */
  closed: Promise<string>;
}

/** A connection of its own, for what `fetch` would never send. */
export function openSocket(port: number): RawSocket {
  const socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  const changes = new Set<() => void>();
  socket.setEncoding("latin1");
  socket.on("data", (data) => {
    text += data;
    for (const change of changes) change();
  });
  // A reset is an end too: what matters is what was read before it.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  const seen = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (pattern.test(text)) resolve();
      };
      changes.add(look);
      look();
    });
  return { socket, text: () => text, seen, closed };
}

/** Writes bytes and reads until the gateway closes the connection. */
export function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const { socket, closed } = openSocket(port);
  if (typeof bytes === "string") socket.write(bytes, "latin1");
  else socket.write(bytes);
  return closed;
}

/** Takes the first answer in a text apart. */
export function readRaw(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...value] = line.split(":");
      return [name.toLowerCase(), value.join(":").trim()];
    }),
  );
  return { status, headers, body: rest.join("\r\n\r\n") };
}

/** Where one code has several: the last is that of an upgrade. */
const STATUSES: Partial<Record<ErrorCode, number[]>> = {
  request_too_large: [413, 414, 431],
  malformed_request: [400, 426],
  host_not_allowed: [403, 421],
};

/** Insists that a body is the envelope of an error, with a known code whose status this is. */
export function expectEnvelope(status: number, body: string): ErrorBody["error"] {
  const parsed = JSON.parse(body) as ErrorBody;
  expect(Object.keys(parsed)).toEqual(["error"]);
  expect(Object.keys(parsed.error).sort()).toEqual(["code", "message", "param", "type"]);
  const { error } = parsed;
  expect(isErrorCode(error.code), error.code).toBe(true);
  expect(error.type).toBe(ERRORS[error.code].type);
  expect(error.message).not.toBe("");
  expect(STATUSES[error.code] ?? [ERRORS[error.code].status]).toContain(status);
  return error;
}

import type { X509Certificate } from "node:crypto";
import { request } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** More than any answer that is asked for here has. In bytes. */
const MAX_BODY = 1024 * 1024;

export interface GatewayDoor {
  host: string;
  port: number;
  /** Whether it serves HTTPS. */
  tls: boolean;
  /** By which it is known then; `undefined` where that is not to be had. */
  certificate: X509Certificate | undefined;
}

export interface GatewayAnswer {
  status: number;
  /** `undefined` when it is not JSON. No text in it has control characters. */
  json: unknown;
}

/** Whoever listens there cannot be told to be the gateway: its certificate is another one, or not to be had. */
export class OtherCertificateError extends Error {}

/** Whoever listens there does not speak HTTP, or not to the end. */
export class NoAnswerError extends Error {}

interface Asking {
  /** Sent as its Bearer. */
  token?: string | undefined;
  /** With HTTPS nothing is sent to whoever does not have the gateway's certificate. */
  knows?: boolean;
  signal: AbortSignal;
}

/**
 * GETs a path of a gateway.
 * @throws the network's errors, the signal's reason, {@link OtherCertificateError}, {@link NoAnswerError}
 */
export async function askGateway(
  door: GatewayDoor,
  path: string,
  { token, knows = token !== undefined, signal }: Asking,
): Promise<GatewayAnswer> {
  const socket = await openSocket(door, { knows, signal });
  try {
    return await exchange(socket, path, token, signal);
  } finally {
    socket.destroy();
  }
}

/**
 * Connects to a gateway; the signal ends the connection later too.
 * @param knows whether it must be the gateway itself, where there is TLS to tell
 * @throws the network's errors, the signal's reason, {@link OtherCertificateError}, {@link NoAnswerError}
 */
export async function openSocket(
  door: GatewayDoor,
  { knows, signal }: { knows: boolean; signal: AbortSignal },
): Promise<Socket> {
  const socket = await open(door, signal);
  if (!door.tls || !knows || isOwn(socket as TLSSocket, door.certificate)) return socket;
  socket.destroy();
  throw new OtherCertificateError();
}

function open({ host, port, tls }: GatewayDoor, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // The address is one of this machine, which no certificate names: it is known by itself instead.
    const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connectTcp({ host, port });
    const abort = () => socket.destroy(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", () => {
      signal.removeEventListener("abort", abort);
      reject(new NoAnswerError());
    });
    // Also later: an error that nobody hears would end the process.
    socket.on("error", reject);
    socket.once(tls ? "secureConnect" : "connect", () => resolve(socket));
  });
}

function isOwn(socket: TLSSocket, certificate: X509Certificate | undefined): boolean {
  return certificate !== undefined && socket.getPeerX509Certificate()?.fingerprint256 === certificate.fingerprint256;
}

function exchange(
  socket: Socket,
  path: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<GatewayAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<GatewayAnswer>();
  // A Host that every gateway serves, whatever its address is called.
  const headers = { host: "localhost", ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const breakOff = () => reject(new NoAnswerError());
  let hasBegun = false;
  if (socket.destroyed) throw new NoAnswerError();
  const sent = request({ path, headers, signal, createConnection: () => socket }, (response) => {
    hasBegun = true;
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body += text;
      if (body.length > MAX_BODY) response.destroy(new Error("the answer is too long"));
    });
    response.on("error", reject);
    response.on("close", breakOff);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, json: toJson(body) }));
  });
  sent.on("error", reject);
  // 101: what was not asked for.
  sent.on("upgrade", (_response, upgraded) => {
    upgraded.destroy();
    breakOff();
  });
  sent.on("close", () => hasBegun || breakOff());
  sent.end();
  return promise;
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Without what could move a terminal's cursor, or make text read as what it is not. */
export function toPrintable(text: string): string {
  return text.replace(UNPRINTABLE, "");
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => (typeof value === "string" ? toPrintable(value) : value));
  } catch {
    return undefined;
  }
}

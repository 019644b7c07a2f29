import { X509Certificate } from "node:crypto";
import { request } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** More than any answer that is asked for here has. In bytes. */
const MAX_BODY = 1024 * 1024;

export interface GatewayDoor {
  host: string;
  port: number;
  /** The gateway's own certificate, PEM, where it serves HTTPS. */
  certificate: string | undefined;
}

export interface GatewayAnswer {
  status: number;
  /** `undefined` when it is not JSON. */
  json: unknown;
}

/** Whoever listens there does not have the gateway's certificate. */
export class OtherCertificateError extends Error {}

/**
 * GETs a path of a gateway.
 * @param token sent as its Bearer
 * @throws the network's errors, the signal's reason, {@link OtherCertificateError}
 */
export async function askGateway(
  door: GatewayDoor,
  path: string,
  { token, signal }: { token?: string | undefined; signal: AbortSignal },
): Promise<GatewayAnswer> {
  const socket = await open(door, signal);
  try {
    return await exchange(socket, path, token, signal);
  } finally {
    socket.destroy();
  }
}

function open({ host, port, certificate }: GatewayDoor, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      certificate === undefined
        ? connectTcp({ host, port })
        : // The address is one of this machine, which no certificate names: it is known by itself instead.
          connectTls({ host, port, rejectUnauthorized: false });
    const abort = () => socket.destroy(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", abort));
    socket.once("error", reject);
    socket.once(certificate === undefined ? "connect" : "secureConnect", () => {
      if (certificate === undefined || isOwn(socket as TLSSocket, certificate)) return resolve(socket);
      socket.destroy();
      reject(new OtherCertificateError());
    });
  });
}

function isOwn(socket: TLSSocket, certificate: string): boolean {
  return socket.getPeerX509Certificate()?.fingerprint256 === new X509Certificate(certificate).fingerprint256;
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
  const sent = request({ path, headers, signal, createConnection: () => socket }, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body += text;
      if (body.length > MAX_BODY) response.destroy(new Error("the answer is too long"));
    });
    response.on("error", reject);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, json: toJson(body) }));
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";

/**
 * Two pairs for 127.0.0.1 and localhost, valid until 2126 and worth nothing. Each was made with
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=gateway-test-a
 * -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout gateway.key -out gateway.crt`.
 */
const FOLDER = join(import.meta.dirname, "tls");

export type Pair = "gateway" | "renewed";

export const pemPath = (pair: Pair, kind: "crt" | "key"): string => join(FOLDER, `${pair}.${kind}`);

/** What clients are to trust: each certificate has signed itself. */
export const CA = (["gateway", "renewed"] as const).map((pair) => readFileSync(pemPath(pair, "crt"), "utf8"));

export interface TlsFiles {
  certPath: string;
  keyPath: string;
  /** Puts another file in the place of one, in one step. */
  replace(kind: "crt" | "key", by: Pair): Promise<void>;
}

/** Copies of a pair, in a folder that is removed when the test ends. */
export async function tlsFiles(pair: Pair = "gateway"): Promise<TlsFiles> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-tls-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const pathOf = (kind: "crt" | "key") => join(folder, `tls.${kind}`);
  const replace = async (kind: "crt" | "key", by: Pair) => {
    await copyFile(pemPath(by, kind), `${pathOf(kind)}.new`);
    await rename(`${pathOf(kind)}.new`, pathOf(kind));
  };
  await Promise.all([replace("crt", pair), replace("key", pair)]);
  return { certPath: pathOf("crt"), keyPath: pathOf("key"), replace };
}

/** A TLS connection once its handshake is done. */
export function connectTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ca: CA, ...options });
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(socket));
    onTestFinished(() => {
      socket.destroy();
    });
  });
}

/** Writes bytes over TLS and reads until the gateway closes the connection. */
export async function exchangeTls(port: number, bytes: string): Promise<string> {
  const socket = await connectTls(port);
  let text = "";
  socket.setEncoding("latin1").on("data", (data) => {
    text += data;
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  socket.write(bytes, "latin1");
  return closed;
}

import { stat } from "node:fs/promises";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import type { FastifyInstance } from "fastify";
import type { Config } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import { certificateFault, readTlsPair, type TlsPaths } from "./tls-pair.ts";

/** How often the files are looked at, in milliseconds. */
const LOOK_EVERY_MS = 1000;

/** What an HTTPS server is made with, and what keeps it up to date. */
export interface Tls {
  readonly options: SecureContextOptions;
  /** @param graceMs how long a handshake may go on when the server closes */
  attach(app: FastifyInstance, graceMs: number): void;
}

/**
 * Reads what `gateway.tls` names; `undefined` without it. A renewed pair of files is served to new connections; one
 * that does not fit together changes nothing, and the log says why.
 *
 * @throws ConfigError naming the key and the file
 */
export async function openTls(paths: Config["gateway"]["tls"], log: Log): Promise<Tls | undefined> {
  if (!paths?.enabled) return undefined;
  const read = async () => {
    const { options, certificate } = await readTlsPair(paths);
    const fault = certificateFault(certificate);
    if (fault !== undefined) log.warn(`${paths.certPath}: ${fault}`);
    return options;
  };

  // Before they are read: a change that comes in between is seen later.
  const seen = await fingerprint(paths);
  return {
    options: await read(),
    attach(app, graceMs) {
      cutHandshakes(app, graceMs);
      const server = app.server as unknown as HttpsServer;
      followFiles(server, paths, seen, async () => {
        try {
          server.setSecureContext(await read());
          log.info(`${paths.certPath} has changed, and is served to new connections`);
        } catch (error) {
          log.warn(`the certificate stays the one of before: ${(error as Error).message}`);
        }
      });
    },
  };
}

/**
 * Calls `read` when a file is another than the one of `seen`, and has stayed so for a while: whoever renews writes one
 * after the other. By polling: a link that is turned to another folder, as certificates often are, gives no event.
 */
function followFiles(server: HttpsServer, paths: TlsPaths, seen: string, read: () => Promise<void>): void {
  let tried = seen;
  let timer: NodeJS.Timeout;
  const look = async () => {
    const now = await fingerprint(paths);
    if (now !== seen) {
      seen = now;
    } else if (now !== tried) {
      tried = now;
      await read();
    }
    if (server.listening) wait();
  };
  const wait = () => {
    timer = setTimeout(() => void look(), LOOK_EVERY_MS).unref();
  };
  server.once("listening", wait);
  server.once("close", () => clearTimeout(timer));
}

/** Changes with either file. */
async function fingerprint({ certPath, keyPath }: TlsPaths): Promise<string> {
  const stats = [certPath, keyPath].map((path) =>
    stat(path, { bigint: true }).then(
      ({ ino, size, mtimeNs }) => [ino, size, mtimeNs].join(),
      () => "none",
    ),
  );
  return (await Promise.all(stats)).join(";");
}

/** A closing server cuts the connections it knows; those that are still in their handshake it does not know. */
function cutHandshakes(app: FastifyInstance, graceMs: number): void {
  const sockets = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  app.addHook("preClose", async () => {
    setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs).unref();
  });
}

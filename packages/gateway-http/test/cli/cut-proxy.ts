import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A network that a test cuts: it stands between a client and a gateway. */
export async function startCutProxy(port: number) {
  const sockets = new Set<Socket>();
  let target = port;
  let open = Promise.resolve();
  const server = createServer(async (near) => {
    sockets.add(near.on("error", () => {}));
    await open;
    const far = connect(target, "127.0.0.1").on("error", () => {});
    sockets.add(far);
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const close = () => {
    server.close();
    cut();
  };
  onTestFinished(close);
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close,
    /** Those who connect from now on wait; the function that is returned lets them through. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      open = promise;
      return resolve;
    },
    /** Settles with the next connection. */
    async reached(): Promise<void> {
      await once(server, "connection");
    },
    leadTo(other: number): void {
      target = other;
    },
  };
}

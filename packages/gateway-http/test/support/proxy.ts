import { connect, createServer } from "node:net";
import { onTestFinished } from "vitest";

/**
 * A proxy in front of a gateway that writes header lines of its own into the first request of each connection, or
 * writes them over.
 * @returns its address, in place of the gateway's
 */
export async function startProxy(url: string, headers: Record<string, string>): Promise<string> {
  const { port, hostname } = new URL(url);
  const server = createServer((client) => {
    const upstream = connect({ port: Number(port), host: hostname });
    client.once("data", (bytes) => {
      let head = bytes.toString("latin1");
      for (const [name, value] of Object.entries(headers)) {
        const rest = head.replace(new RegExp(`^${name}:.*\r\n`, "im"), "");
        head = rest.replace("\r\n", `\r\n${name}: ${value}\r\n`);
      }
      upstream.write(head, "latin1");
      client.pipe(upstream).pipe(client);
    });
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address() as { port: number };
  return url.replace(`:${port}`, `:${address.port}`);
}

import { createServer, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { listen } from "./listen.ts";
import { makeStateDir, type Running, SECRETS, start } from "./run-bin.ts";

/** Characters. */
const LONGEST_LOOKED_AT = 10_000;
const PROGRAM = join(import.meta.dirname, "app-gateway.ts");

/**
 * Starts the gateway with the agent for apps, whose token is the one of {@link SECRETS}, and before it what cuts the first
 * answer to a request to count, after its first word.
 * @param script - Of the page at `/`.
 */
export async function serveApp(script?: string): Promise<{ gateway: Running; url: string }> {
  const env = { OPENCLAW_GATEWAY_TOKEN: SECRETS.token, OPENCLAW_STATE_DIR: await makeStateDir() };
  const gateway = start(process.execPath, [PROGRAM], { env });
  const [address] = await gateway.printed(/^http\S+$/m);
  return { gateway, url: await startProxy(address, '"one ', script) };
}

/**
 * What stands before a gateway: it serves a page at `/`, so that the page and the gateway have one origin, and cuts the
 * connection of each stream once, after its event with this text. Resolves to its address.
 */
async function startProxy(gateway: string, cutAfter: string, script = ""): Promise<string> {
  const known = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === "/") {
      outgoing
        .writeHead(200, { "content-type": "text/html" })
        .end(`<main></main><script type="module">${script}</script>`);
      return;
    }
    const { method, headers } = incoming;
    const forwarded = request(gateway + incoming.url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      const key = String(headers["idempotency-key"]);
      let text = known.has(key) ? undefined : "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        if (text === undefined || text.length > LONGEST_LOOKED_AT) return void outgoing.write(piece);
        const from = text.length;
        text += piece;
        const at = text.indexOf(cutAfter);
        const end = at < 0 ? -1 : text.indexOf("\n\n", at);
        if (end < 0) return void outgoing.write(piece);
        known.add(key);
        outgoing.write(text.slice(from, end + 2));
        // What was written still arrives, but no end of the body.
        outgoing.socket?.destroySoon();
        forwarded.destroy();
      });
      answer.on("end", () => outgoing.end());
      answer.on("error", () => {});
    });
    forwarded.on("error", () => outgoing.destroy());
    outgoing.once("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.on("upgrade", (incoming, near: Socket, head: Buffer) => {
    const far = connect(Number(new URL(gateway).port), "127.0.0.1");
    const lines = incoming.rawHeaders.map((text, at) => (at % 2 === 0 ? `\r\n${text}: ` : text));
    far.write(`GET ${incoming.url} HTTP/1.1${lines.join("")}\r\n\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      socket.on("error", () => {});
      socket.once("close", () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  return (await listen(server)).replace(/\/v1$/, "");
}

import { createInterface } from "node:readline";

/** Writes one JSON-RPC message. Returns whether there is room for more. */
export function say(message) {
  return process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

export const tool = (name, more) => ({ name, inputSchema: { type: "object" }, ...more });

/** A server by hand, so that it can misbehave in ways in which no library does. */
export function serve({ tools, call, cancelled = () => {} }) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params } = JSON.parse(line);
    const answer = (result) => say({ id, result });
    if (method === "initialize") {
      answer({
        protocolVersion: params.protocolVersion,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: "by hand", version: "1" },
      });
    } else if (method === "tools/list") answer({ tools: tools() });
    else if (method === "notifications/cancelled") cancelled();
    else if (method === "tools/call") call((text) => answer({ content: [{ type: "text", text }] }), params);
  });
}

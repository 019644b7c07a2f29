/**
 * An MCP server on standard input and output. The bench's models call none of its tools: what they cost is that they are
 * there. The soak's do.
 * @see https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#stdio
 */
import { createInterface } from "node:readline";

const COUNT = 12;

const tools = Array.from({ length: COUNT }, (_, index) => ({
  name: `tool_${index}`,
  description: `One of ${COUNT} tools, described as people describe theirs: in a sentence or two, and at some length.`,
  inputSchema: {
    type: "object",
    properties: { path: { type: "string", description: "Where" }, limit: { type: "number", description: "How much" } },
    required: ["path"],
  },
}));

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const { protocolVersion } = params ?? {};
  const hello = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "bench", version: "1" } };
  const done = { content: [{ type: "text", text: "done" }] };
  const results: Record<string, object> = { initialize: hello, "tools/list": { tools }, "tools/call": done };
  const result = results[method] ?? {};
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
}

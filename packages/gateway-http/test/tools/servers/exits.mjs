// A gateway's process that is ended by process.exit(), with a server that has a child. Prints their ids.
import { createMcpTools } from "../../../src/tools/mcp/mcp-tools.ts";

const family = new URL("./family.mjs", import.meta.url).pathname;
const tools = createMcpTools({
  servers: { family: { command: process.execPath, args: [family], env: {} } },
  variables: {},
  redact: (text) => text,
  log: () => {},
});
await tools.ready();
const find = () => tools.list().find(({ name }) => name === "family__pids");
while (!find()) await new Promise((resolve) => setTimeout(resolve, 50));
const tool = find();
const { text } = await tool.run({}, { signal: new AbortController().signal });
process.stdout.write(text, () => process.exit(0));

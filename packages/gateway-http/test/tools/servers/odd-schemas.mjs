import { serve, tool } from "./speak.mjs";

const properties = { a: { type: "string" } };
serve({
  tools: () => [
    { name: "none" },
    { name: "boolean", inputSchema: true },
    { name: "text", inputSchema: { type: "string" } },
    { inputSchema: { type: "object" } },
    "no tool at all",
    tool("good", {
      description: 7,
      inputSchema: { $schema: "http://json-schema.org/draft-07/schema#", type: "object", properties },
    }),
    // Characters that no provider takes, and two names that become one.
    tool("a.b"),
    tool("a b"),
    tool(`long.${"x".repeat(100)}`),
  ],
  call: (answer, { name }) => answer(name),
});

import { join } from "node:path";

/**
 * The config that `init` writes. It must load without a notice: a test sees to it.
 * @param flags what the commands in it need to find it
 */
export function configTemplate({ stateDir, flags }: { stateDir: string; flags: string }): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: ${…} is the config file's own syntax.
  const keyFromEnvironment = "${OPENAI_API_KEY}";
  return `// Config of the OpenClaw gateway. This is JSON5: comments, bare keys and trailing commas are fine.
// After a change: openclaw-gateway config check${oneLine(flags)}
{
  gateway: {
    port: 18789,

    // "loopback": this machine only. "lan": every network interface.
    bind: "loopback",

    // Clients send the token as "Authorization: Bearer <token>", where an OpenAI client takes its API key.
    // It is in the file ${oneLine(join(stateDir, "gateway-token"))}. To set another, write token: "…" here.
    // For somebody else make a key, which may do less: openclaw-gateway keys add ann --agents main${oneLine(flags)}
    auth: {
      mode: "token",
    },

    // POST /v1/chat/completions
    http: { endpoints: { chatCompletions: { enabled: true } } },
  },

  agents: {
    list: [
      {
        // Clients choose an agent by model: "openclaw:main", or "openclaw" for the default one.
        id: "main",
        default: true,
        name: "Main",

        // The built-in demo needs no provider. For a real model put one of these in its place:
        model: "demo",
        // model: "openai/gpt-4o-mini",                     // the key from OPENAI_API_KEY
        // model: "openrouter/anthropic/claude-sonnet-4.5", // the key from OPENROUTER_API_KEY
        // model: "ollama/llama3.2",                        // Ollama on this machine, no key

        // instructions: "You are a helpful assistant.",
        // params: { temperature: 0.7 },

        // Other model names this agent answers to, for clients that know only those:
        // aliases: ["gpt-4o"],
      },
    ],
  },

  // Needed only for a key or an address of your own:
  // models: {
  //   providers: {
  //     openai: { apiKey: "${keyFromEnvironment}" }, // replaced from the environment
  //     mine: { baseUrl: "http://192.168.0.10:8000/v1" }, // then: model: "mine/<model>"
  //   },
  // },

  // Tools for the agents: MCP servers, started here or called at a URL. They are named <server>__<tool>, and an
  // agent with tools: { allow: ["files__*"], deny: ["*__write_file"] } has only those.
  // mcp: {
  //   servers: {
  //     files: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", "/path/to/notes"] },
  //     docs: { url: "https://mcp.example.com/mcp" },
  //   },
  // },
}
`;
}

/** A path may have any character, and a comment ends with its line. */
function oneLine(text: string): string {
  return text.replace(/[\n\r\u2028\u2029]/g, "?");
}

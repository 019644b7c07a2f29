import type { parseArgs } from "node:util";

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Every option of every command: they are few, and none means two things. */
export const OPTIONS = {
  port: { type: "string" },
  bind: { type: "string" },
  auth: { type: "string" },
  token: { type: "string" },
  "token-file": { type: "string" },
  password: { type: "string" },
  "password-file": { type: "string" },
  config: { type: "string" },
  "enable-chat": { type: "boolean" },
  model: { type: "string" },
  "drain-timeout": { type: "string" },
  verbose: { type: "boolean" },
  message: { type: "string", short: "m" },
  agent: { type: "string" },
  "session-key": { type: "string" },
  json: { type: "boolean" },
  local: { type: "boolean" },
  force: { type: "boolean" },
  agents: { type: "string" },
  scopes: { type: "string" },
  expires: { type: "string" },
  "requests-per-minute": { type: "string" },
  "concurrent-runs": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

export type Options = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

export const HELP = `openclaw-gateway: any agent behind OpenAI's Chat Completions API

  openclaw-gateway [run]         serve agents over HTTP
      --port N                   default 18789, or OPENCLAW_GATEWAY_PORT
      --bind loopback|lan|HOST   default loopback
      --auth MODE                token (default; one is made when none is set), password, trusted-proxy or none
      --token-file FILE          or OPENCLAW_GATEWAY_TOKEN, or --token TEXT
      --password-file FILE       or OPENCLAW_GATEWAY_PASSWORD, or --password TEXT
                                 (other users of the machine can see TEXT, in ps)
      --enable-chat              turn the chat endpoint on, whatever the config says
      --model PROVIDER/MODEL     in place of agents.defaults.model, e.g. ollama/llama3.2
      --drain-timeout 30s        how long running answers may finish on SIGTERM
      --verbose                  log every request too (level debug)
  openclaw-gateway agent -m TEXT run one turn and print the answer: in the running gateway, else in this process
      --agent ID --model PROVIDER/MODEL --json
      --session-key KEY          go on with this session; without it nothing is remembered
      --local                    in this process, even if a gateway runs
      --port, --token-file, ...  as for run: where the gateway is, and who asks
  openclaw-gateway status        ask the running gateway how it is (--json); exit code 0 when it is ready
  openclaw-gateway init          write a commented config with a fresh token (--force to overwrite)
  openclaw-gateway config check  check the config file
  openclaw-gateway keys add ID   make a key for somebody else; prints its token, this once
      --agents a,b               those it may use; default all
      --scopes chat,models       default chat,sessions,models; also override-model, admin
      --expires 30d|2027-01-31   default never
      --requests-per-minute N --concurrent-runs N
  openclaw-gateway keys list     who may do what (--json)
  openclaw-gateway keys revoke ID

  --config FILE                  default ~/.openclaw/openclaw.json, or OPENCLAW_CONFIG_PATH
  --help, --version

Exit codes: 0 ok, 1 failure, 2 usage, 78 config.
`;

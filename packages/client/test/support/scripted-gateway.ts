import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentOutput, type AgentTurn, type ConfigInput, createGateway, defineAgent } from "@openclaw/gateway-http";
import { onTestFinished, vi } from "vitest";
import { type ClientOptions, createClient } from "../../src/index.ts";
import { withTools } from "../../src/tools/index.ts";
import { TOKEN } from "./client.ts";

/** What the agent says when it is asked once. */
export interface Saying {
  reasoning?: string;
  text?: string;
  /** Name and arguments of what it calls. The ids are `c1`, `c2`, …, or the given ones. */
  calls?: readonly (readonly [name: string, args: string, id?: string])[];
  finish?: "stop" | "length" | "content_filter" | "tool_calls";
}

type Run = (turn: AgentTurn, signal: AbortSignal) => AsyncIterable<AgentOutput>;

/** A gateway whose agent says these, one each time it is asked, the last one again and again; and a client of it. */
export async function startScripted(says: readonly (Saying | Run)[], options: Partial<ClientOptions> = {}) {
  const turns: AgentTurn[] = [];
  const agent = defineAgent({
    id: "main",
    exposeReasoning: "reasoning_content",
    run(turn, { signal }) {
      const saying = says[Math.min(turns.push(turn), says.length) - 1] as Saying | Run;
      return typeof saying === "function" ? saying(turn, signal) : say(saying);
    },
  });
  const url = await startGateway({}, [agent]);
  const keys: (string | null)[] = [];
  const client = createClient({
    baseUrl: url,
    token: TOKEN,
    middleware: [
      (next) => (url, init) => {
        if (url.endsWith("/chat/completions")) keys.push(init.headers.get("idempotency-key"));
        return next(url, init);
      },
    ],
    ...options,
  });
  return { client: withTools(client), turns, keys };
}

/** Gives its address. */
export async function startGateway(
  config: ConfigInput,
  agents: NonNullable<Parameters<typeof createGateway>[0]>["agents"] & object,
): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-client-"));
  vi.stubEnv("OPENCLAW_STATE_DIR", stateDir);
  const gateway = createGateway({
    config: {
      ...config,
      logging: { level: "silent" },
      gateway: {
        port: 0,
        auth: { mode: "token", token: TOKEN },
        http: { endpoints: { chatCompletions: { enabled: true } } },
      },
    },
    agents,
  });
  onTestFinished(async () => {
    await gateway.close({ drainTimeoutMs: 0 });
    vi.unstubAllEnvs();
    await rm(stateDir, { recursive: true, force: true });
  });
  return (await gateway.listen()).url;
}

async function* say({ reasoning, text, calls = [], finish }: Saying): AsyncGenerator<AgentOutput> {
  if (reasoning) yield { type: "reasoning-delta", text: reasoning };
  if (text) yield text;
  for (const [index, [name, args, id = `c${index + 1}`]] of calls.entries()) {
    yield { type: "tool-call-start", index, id, name };
    // In two pieces, as models write them.
    for (const piece of [args.slice(0, 3), args.slice(3)])
      if (piece) yield { type: "tool-call-delta", index, arguments: piece };
  }
  yield { type: "usage", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } };
  yield { type: "end", finishReason: finish ?? (calls.length > 0 ? "tool_calls" : "stop") };
}

import type { ChatCompletionChunk } from "@openclaw/protocol";
import { z } from "zod";
import { type ConfigInput, defineAgent, type ModelAgentDefinition } from "../../src/index.ts";
import { PROVIDER_KEY } from "../support/provider-gateway.ts";
import { chunk, type Script, startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";

export interface WithToolsOptions {
  /** What the provider says, one entry for each time it is asked; the last one again and again. */
  says: readonly Saying[] | Script;
  agent?: Omit<ModelAgentDefinition, "id" | "tools">;
  tools?: ModelAgentDefinition["tools"];
  /** Of `models.providers.stand`. */
  provider?: object;
  config?: ConfigInput;
}

/** What the provider says when it is asked once. */
export interface Saying {
  reasoning?: string;
  text?: string;
  /** Name and arguments of the tools it calls. The ids are `c1`, `c2`, …, or the given ones. */
  calls?: readonly (readonly [name: string, args: string, id?: string])[];
  finish?: string;
  usage?: object;
}

const echo = {
  description: "Says it again",
  schema: z.object({ text: z.string() }),
  run: ({ text }: { text: string }) => `echo ${text}`,
};

/** A gateway whose agent `main` is a model of a stand-in provider with function tools, `echo` unless told otherwise. */
export async function startWithTools({ says, agent, tools = { echo }, provider: settings, config }: WithToolsOptions) {
  const script: Script =
    typeof says === "function"
      ? says
      : async (exchange, index) => {
          const { reasoning, text, calls = [], finish, usage } = says[Math.min(index, says.length - 1)] as Saying;
          exchange.open();
          if (reasoning) await exchange.event(chunk({ reasoning_content: reasoning }));
          if (text) await exchange.say(text);
          for (const [position, [name, args, id]] of calls.entries()) {
            const call = { index: position, id: id ?? `c${position + 1}`, type: "function" };
            await exchange.event(chunk({ tool_calls: [{ ...call, function: { name, arguments: "" } }] }));
            await exchange.event(chunk({ tool_calls: [{ index: position, function: { arguments: args } }] }));
          }
          exchange.finish(finish ?? (calls.length > 0 ? "tool_calls" : "stop"), usage);
        };
  const provider = await startProvider(script);
  const started = await startGateway({
    config: {
      ...config,
      models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey: PROVIDER_KEY, ...settings } } },
    },
    agents: [defineAgent({ id: "main", model: "stand/in", ...agent, tools })],
  });
  return { ...started, provider };
}

/** What a stream shows of the agent's use of its tools. */
export const toolsUsed = (chunks: readonly ChatCompletionChunk[]) =>
  chunks.flatMap(({ openclaw }) => (openclaw && openclaw.type !== "model" ? [openclaw] : []));

/** A tool of the client's. */
export const clientTool = (name: string) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: {} } },
});

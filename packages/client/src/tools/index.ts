import type { ChatOptions } from "../chat/create.ts";
import type { Client } from "../client.ts";
import type { Schema } from "../schema.ts";
import type { Tool, Tools } from "./call-tools.ts";
import { ToolRun, type ToolRunParams } from "./tool-run.ts";

export type { JsonSchema, Schema } from "../schema.ts";
export type { Tool, ToolContext, ToolResult, Tools } from "./call-tools.ts";
export type { ToolRun, ToolRunEvents, ToolRunParams } from "./tool-run.ts";

/** A client that runs tools. */
export interface WithTools {
  readonly chat: {
    /**
     * Asks the agent, runs the tools that it calls, side by side, tells it what they gave, and so on until it has an
     * answer. Nothing is sent before the run is read. `tool_choice` is for the first step: what was asked for has then
     * been done. Each step has an idempotency key of its own; of one that you give, `:2`, `:3` and so on are added, and
     * whoever runs it again runs the tools again.
     *
     * @example
     * ```ts
     * const client = withTools(createClient({ baseUrl, token }));
     * const run = client.chat.runTools({
     *   model: "openclaw",
     *   messages: [{ role: "user", content: "What's the weather in Paris?" }],
     *   tools: {
     *     getWeather: {
     *       description: "The weather in a city, now",
     *       schema: z.object({ city: z.string() }),
     *       run: ({ city }, { signal }) => fetchWeather(city, signal),
     *     },
     *   },
     * });
     * console.log(await run.text());
     * ```
     * @throws OpenClawError when a tool cannot work: its name, no `run`, a schema that cannot be told to a model
     */
    runTools<Schemas extends Record<string, Schema>>(
      params: ToolRunParams & { tools: Tools<Schemas> },
      options?: ChatOptions,
    ): ToolRun;
  };
}

/** The client, with `chat.runTools`. What else was added to it stays, as by `withOutput`. */
export function withTools<C extends Client>(client: C): C & WithTools {
  const { completions } = client.chat;
  return {
    ...client,
    chat: { ...client.chat, runTools: (params, options) => new ToolRun(completions, params, options) },
  } as C & WithTools;
}

/**
 * Gives it back: a tool that stands by itself, and whose `run` knows the types of its arguments.
 *
 * @example
 * ```ts
 * const getTime = defineTool({
 *   description: "The time in a zone, now",
 *   schema: z.object({ zone: z.string() }),
 *   run: ({ zone }) => new Date().toLocaleTimeString("en", { timeZone: zone }),
 * });
 * const run = client.chat.runTools({ messages, tools: { getTime } });
 * ```
 */
export function defineTool<S extends Schema>(tool: Tool<S>): Tool<S> {
  return tool;
}

import type { ChatOptions } from "../chat/create.ts";
import type { Client } from "../client.ts";
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
     * been done. Each step has an idempotency key of its own; to one that you give, the step's number and a hash of
     * what the steps before came to are added (`order-42:2:9f3c01ab`). Whoever runs it again runs the tools again: as long
     * as they give the same, the answers are found again, and with anything else it goes on anew from there.
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
     * @throws OpenClawError when a tool cannot work: its name, no `run`, no schema or one that cannot be told to a model
     */
    runTools<Schemas extends Record<string, unknown>>(
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
    chat: {
      ...client.chat,
      // Whatever their schemas are, all tools are called in the same way.
      runTools: (params: ToolRunParams & { tools: Tools }, options) => new ToolRun(completions, params, options),
    },
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
export function defineTool<S>(tool: Tool<S>): Tool<S> {
  return tool;
}

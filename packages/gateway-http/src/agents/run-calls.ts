import type { ToolCall } from "@openclaw/protocol";
import { parseJsonObject } from "../chat/json-object.ts";
import type { AgentEvent } from "../chat/run-event.ts";
import type { Tool, ToolContext, ToolResult } from "../tools/tool.ts";
import { traceTool } from "./trace-tool.ts";

/** Longest text of a result that a model is given, in UTF-16 code units: about 16,000 tokens. */
const MAX_RESULT_LENGTH = 64 * 1024;
/** Of arguments that cannot be read, this much is shown to the model. */
const MAX_SHOWN = 200;

/** Told of what a tool threw; gives the words the model is told. */
export type OnToolError = (error: unknown, call: { runId: string; tool: string }) => string;

export interface CallsOptions {
  tools: ReadonlyMap<string, Tool>;
  context: ToolContext;
  onToolError: OnToolError;
}

/**
 * Runs the calls of one step side by side. Says when each begins and ends, and gives their results as steps, in the
 * order of the calls: models take results by id, but templates of some go by order. A call that fails is a result too.
 * @throws the signal's reason, as soon as it aborts, whether or not the tools listen to it
 */
export async function* runCalls(calls: readonly ToolCall[], options: CallsOptions): AsyncGenerator<AgentEvent[]> {
  const { signal } = options.context;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  aborted.catch(() => {});
  try {
    signal.throwIfAborted();
    yield calls.map(({ id, function: { name } }) => ({ type: "tool-start", id, name }));
    const results: ToolResult[] = [];
    const running = new Map(
      calls.map((call, index) => [index, runCall(call, options).then((result) => ({ index, result }))]),
    );
    for (let told = 0; running.size > 0; ) {
      const { index, result } = await Promise.race([aborted, ...running.values()]);
      running.delete(index);
      results[index] = result;
      const events: AgentEvent[] = [{ type: "tool-end", id: (calls[index] as ToolCall).id, ok: result.ok }];
      for (let next = results[told]; next; next = results[++told]) {
        const { id } = calls[told] as ToolCall;
        events.push({ type: "step", message: { role: "tool", tool_call_id: id, content: next.text } });
      }
      yield events;
    }
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Never rejects. */
async function runCall(call: ToolCall, { tools, context, onToolError }: CallsOptions): Promise<ToolResult> {
  const { name, arguments: text } = call.function;
  const tool = tools.get(name);
  if (!tool) return { ok: false, text: `There is no tool ${JSON.stringify(name)}.` };
  const args = readArguments(text);
  if (!args) {
    const shown = text.slice(0, MAX_SHOWN).toWellFormed();
    return { ok: false, text: `The arguments of ${name} are not a JSON object: ${shown}` };
  }
  try {
    const result = await traceTool(call, context, () => tool.run(args, context));
    return { ok: result.ok, text: bound(result.text) };
  } catch (error) {
    // After an abort nobody reads the result.
    if (context.signal.aborted) return { ok: false, text: "" };
    return { ok: false, text: bound(`Error: ${onToolError(error, { runId: context.runId, tool: name })}`) };
  }
}

/** The arguments of a call, `undefined` when they are no JSON object. Models write nothing where there are none. */
function readArguments(text: string): Record<string, unknown> | undefined {
  return text.trim() === "" ? {} : parseJsonObject(text);
}

/** Cut where a model would lose more by reading on than by knowing that there is more. */
function bound(text: string): string {
  if (text.length <= MAX_RESULT_LENGTH) return text.toWellFormed();
  const shown = text.slice(0, MAX_RESULT_LENGTH).toWellFormed();
  return `${shown}\n[cut here: the first ${MAX_RESULT_LENGTH} of ${text.length} characters]`;
}

import type { ToolCall } from "@openclaw/protocol";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import { startSpan } from "../observe/traces.ts";
import type { ToolContext, ToolResult } from "../tools/tool.ts";

/** Runs a tool in a span of its own, which ends with the run at the latest: a tool need not listen. */
export async function traceTool(
  { id, function: { name } }: ToolCall,
  { signal }: ToolContext,
  run: () => Promise<ToolResult>,
): Promise<ToolResult> {
  const span = startSpan(`execute_tool ${name}`, "internal", () => ({
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": name,
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.id": id,
  }));
  if (!span) return run();
  const abort = () => span.end(toGatewayError(signal.reason).code);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const result = await span.within(run);
    span.end(result.ok ? undefined : FAILED);
    return result;
  } catch (error) {
    span.end(FAILED);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The `error.type` of a tool that could not do what it was asked for. */
const FAILED = "tool_error";

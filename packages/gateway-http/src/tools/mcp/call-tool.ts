import { type Client, ProtocolError, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";
import type { ToolResult } from "../tool.ts";
import type { ListedTool } from "./list-tools.ts";
import { toToolResult } from "./tool-result.ts";

/** How long a tool may be silent. One that tells of its progress has as long as the run has. */
const SILENCE_MS = 60_000;

/**
 * Calls a tool and waits for its result, or for the server's word that there is none.
 * @throws the signal's reason when it aborts; what the SDK throws when the server is not there
 */
export async function callTool(
  client: Client,
  { name, inputSchema }: ListedTool,
  args: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ToolResult> {
  signal.throwIfAborted();
  try {
    const result = await client.callTool(
      { name, arguments: args },
      {
        signal,
        timeout: SILENCE_MS,
        resetTimeoutOnProgress: true,
        // Asks for progress in the first place.
        onprogress: () => {},
        // Without its output schema: the result is taken as it is.
        toolDefinition: { name, inputSchema: inputSchema as { type: "object" } },
      },
    );
    return toToolResult(result);
  } catch (error) {
    signal.throwIfAborted();
    const text = explain(error);
    if (text === undefined) throw error;
    return { ok: false, text };
  }
}

function explain(error: unknown): string | undefined {
  if (error instanceof ProtocolError) return error.message;
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return `The tool gave no answer for ${SILENCE_MS / 1000} seconds.`;
  }
  if (error instanceof SdkError && error.code === SdkErrorCode.InvalidResult) {
    return "The tool's server gave an answer that is no result of a tool.";
  }
  return undefined;
}

import {
  type CallToolResult,
  type Client,
  type ContentBlock,
  ProtocolError,
  SdkError,
  SdkErrorCode,
} from "@modelcontextprotocol/client";
import { traceFields } from "../../observe/traces.ts";
import type { ToolResult } from "../tool.ts";
import type { ListedTool } from "./list-tools.ts";

/** How long a tool may be silent. One that tells of its progress has as long as the run has. */
const SILENCE_MS = 60_000;

export interface CallContext {
  readonly signal: AbortSignal;
  /** Takes secrets out of a failure: an error may repeat what the server was given. Results are the server's own. */
  redact(text: string): string;
}

/**
 * Calls a tool and waits for its result, or for the server's word that there is none.
 * @throws the signal's reason when it aborts; what the SDK throws when the server is not there
 */
export async function callTool(
  client: Client,
  { name, inputSchema }: ListedTool,
  args: Readonly<Record<string, unknown>>,
  { signal, redact }: CallContext,
): Promise<ToolResult> {
  signal.throwIfAborted();
  try {
    const result = await client.callTool(
      { name, arguments: args, ...withMeta(traceFields()) },
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
    return { ok: false, text: redact(text) };
  }
}

/** The names that MCP keeps for the context of a trace. */
function withMeta(fields: Record<string, string>): { _meta?: Record<string, string> } {
  return Object.keys(fields).length > 0 ? { _meta: fields } : {};
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

/** A server's answer as the model reads it. What is no text is named, with its size. */
export function toToolResult({ content, structuredContent, isError }: CallToolResult): ToolResult {
  const ok = isError !== true;
  // Servers that answer in data are to say the same in text; those that do not have only the data.
  if (content.length === 0 && structuredContent !== undefined) return { ok, text: JSON.stringify(structuredContent) };
  return { ok, text: content.map(toText).join("\n") };
}

function toText(block: ContentBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return `[${block.type} ${block.mimeType}, ${sizeOf(block.data)} bytes]`;
    case "resource_link":
      return `[resource ${block.uri}: ${block.name}]`;
    case "resource": {
      const { resource } = block;
      if ("text" in resource) return resource.text;
      return `[resource ${resource.uri}, ${resource.mimeType ?? "binary"}, ${sizeOf(resource.blob)} bytes]`;
    }
  }
}

/** Of what base64 stands for. */
function sizeOf(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}

import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client";
import type { ToolResult } from "../tool.ts";

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
